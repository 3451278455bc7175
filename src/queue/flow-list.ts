// @hot
/** A list whose links are in its members: entering and leaving cost the same however many there are. A member is in one list at a time. */

export interface ListMember<T extends ListMember<T>> {
  list: FlowList<T> | undefined;
  next: T | undefined;
  previous: T | undefined;
  /** Its share in the sums of the list. */
  readonly packets: number;
  readonly bytes: number;
}

export class FlowList<T extends ListMember<T>> {
  first: T | undefined;
  last: T | undefined;
  /** Number of members, and the sums of their packets and bytes; a change of a member's numbers is passed to `count`. */
  length = 0;
  packets = 0;
  bytes = 0;

  /** Appends a member, out of the list it was in. */
  push(member: T): void {
    member.list?.remove(member);
    member.list = this;
    member.previous = this.last;
    member.next = undefined;
    if (this.last) this.last.next = member;
    else this.first = member;
    this.last = member;
    this.length++;
    this.count(member.packets, member.bytes);
  }

  /** Takes out a member of this list. */
  remove(member: T): void {
    const { next, previous } = member;
    if (previous) previous.next = next;
    else this.first = next;
    if (next) next.previous = previous;
    else this.last = previous;
    member.list = undefined;
    member.next = undefined;
    member.previous = undefined;
    this.length--;
    this.count(-member.packets, -member.bytes);
  }

  /** Adds to the sums what a member has gained. */
  count(packets: number, bytes: number): void {
    this.packets += packets;
    this.bytes += bytes;
  }
}
