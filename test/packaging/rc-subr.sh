# What FreeBSD's rc.subr(8) gives a script, as far as ours uses it. The caller sets CONF, a file of assignments like rc.conf.
# shellcheck shell=sh disable=SC2154

load_rc_config() {
	# shellcheck source=/dev/null
	. "${CONF}"
}

# Not one that ended and that nobody has asked after yet.
is_alive() {
	kill -0 "$1" 2>/dev/null && ! grep -qs '^State:.Z' "/proc/$1/status"
}

# The process of the pid in the file, if it is there.
check_pidfile() {
	[ -s "$1" ] && is_alive "$(cat "$1")" && cat "$1"
}

wait_for_pids() {
	while is_alive "$1"; do sleep 0.01; done
}

warn() {
	echo "WARNING: $*"
}

run_rc_command() {
	case "$(eval "echo \${${rcvar}}")" in
	[Yy][Ee][Ss]) ;;
	*)
		echo "Cannot '$1' ${name}: set ${rcvar} to YES"
		return 1
		;;
	esac
	eval "${1}_cmd_found=\${${1}_cmd-}"
	eval "\${${1}_cmd_found:-false}"
}
