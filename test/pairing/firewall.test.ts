import { describe, expect, test } from "bun:test";
import { closedChains, openFirewall } from "../../src/pairing/firewall.ts";
import { fakeMachine } from "./machine.ts";

const PROVIDER = "If the provider of this host has a firewall too, open UDP port 4725 there as well.";

const chain = (name: string, more: object) => ({ chain: { family: "inet", table: "filter", name, ...more } });
const rule = (name: string, ...expr: object[]) => ({ rule: { family: "inet", table: "filter", chain: name, expr } });
const accept = (port: number) => [
  { match: { op: "==", left: { payload: { protocol: "udp", field: "dport" } }, right: port } },
  { accept: null },
];
const ruleset = (...nftables: object[]) => JSON.stringify({ nftables: [{ metainfo: {} }, ...nftables] });

describe("The firewall", () => {
  test("of ufw lets the port in where it is active", () => {
    const command = "ufw allow 4725/udp comment netcombiner";
    const machine = fakeMachine({ "ufw status": { out: "Status: active\n" }, [command]: {} });
    openFirewall(machine, 4725);
    expect(machine.ran).toEqual(["ufw status", command]);
    expect(machine.printed).toEqual([`+ ${command}`, PROVIDER]);
  });

  test("of firewalld lets it in now and later", () => {
    const machine = fakeMachine({
      "ufw status": { out: "Status: inactive\n" },
      "firewall-cmd --state": { out: "running\n" },
      "firewall-cmd --quiet --add-port=4725/udp": {},
      "firewall-cmd --quiet --permanent --add-port=4725/udp": {},
    });
    openFirewall(machine, 4725);
    expect(machine.printed).toEqual([
      "+ firewall-cmd --quiet --add-port=4725/udp",
      "+ firewall-cmd --quiet --permanent --add-port=4725/udp",
      PROVIDER,
    ]);
  });

  test("of nftables gets a rule in front of those that drop, and says how long it lasts", () => {
    const insert = 'nft insert rule inet filter input udp dport 4725 accept comment "netcombiner"';
    const out = ruleset(chain("input", { hook: "input", policy: "drop" }));
    const machine = fakeMachine({ "nft -j list ruleset": { out }, [insert]: {} });
    openFirewall(machine, 4725);
    expect(machine.printed).toEqual([
      `+ ${insert.replace('"netcombiner"', `'"netcombiner"'`)}`,
      "firewall: this rule is lost when the rules are reloaded; add it to /etc/nftables.conf to keep it",
      PROVIDER,
    ]);
  });

  test("of pf is told of, not changed", () => {
    const machine = fakeMachine({ "pfctl -s info": { out: "Status: Enabled for 3 days\n" } });
    openFirewall(machine, 4725);
    expect(machine.printed).toContain("    pass in proto udp to port 4725");
    expect(machine.ran).toEqual(["pfctl -s info"]);
  });

  test("that is not there is said not to be", () => {
    for (const answers of [{}, { "nft -j list ruleset": { out: ruleset() } }, { "nft -j list ruleset": { code: 1 } }]) {
      const machine = fakeMachine(answers);
      openFirewall(machine, 4725);
      expect(machine.printed).toEqual(["firewall: none found on this host that blocks UDP port 4725", PROVIDER]);
    }
  });

  test("that refuses is no reason to stop, and the user is told what to do", () => {
    const machine = fakeMachine({
      "ufw status": { out: "Status: active\n" },
      "ufw allow 4725/udp comment netcombiner": { code: 1, err: "ERROR: problem running\n" },
    });
    openFirewall(machine, 4725);
    expect(machine.printed.slice(1)).toEqual([
      "firewall: ufw: ERROR: problem running",
      "firewall: open UDP port 4725 by hand",
      PROVIDER,
    ]);
    const strange = fakeMachine({ "nft -j list ruleset": { out: "nonsense" } });
    openFirewall(strange, 4725);
    expect(strange.printed[0]).toBe("firewall: cannot parse the output of nft");
  });
});

describe("Chains of nftables that keep a port out", () => {
  const names = (...objects: object[]) => closedChains(ruleset(...objects), 4725).map(({ name }) => name);

  test("are those at the input that drop what is left", () => {
    expect(
      names(
        chain("a", { hook: "input", policy: "drop" }),
        chain("b", { hook: "input", policy: "accept" }),
        chain("c", { hook: "forward", policy: "drop" }),
        chain("d", {}),
        chain("e", { hook: "input", policy: "accept" }),
        rule("e", ...accept(22)),
        rule("e", { counter: { packets: 1, bytes: 2 } }, { drop: null }),
        chain("f", { hook: "input", policy: "accept" }),
        rule("f", { reject: { type: "icmp" } }),
        rule("f", ...accept(22)),
        chain("g", { hook: "input", policy: "drop", family: "bridge" }),
      ),
    ).toEqual(["a", "e"]);
  });

  test("are not those that let it in already", () => {
    const input = chain("input", { hook: "input", policy: "drop" });
    expect(names(input, rule("input", ...accept(4725)))).toEqual([]);
    expect(names(input, rule("input", ...accept(47250)))).toEqual(["input"]);
    const dropped = [accept(4725)[0] as object, { drop: null }];
    expect(names(input, rule("input", ...dropped))).toEqual(["input"]);
  });
});
