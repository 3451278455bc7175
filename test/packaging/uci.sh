# What OpenWrt gives an init script, as far as ours uses it: UCI files (shell words already), procd as a log of calls.
# The caller sets UCI (the folder of the configuration) and DEVICES (networks that are up, as "wan=eth0 wwan=wwan0").
# shellcheck shell=dash disable=SC2034,SC3043,SC2317

SECTIONS=

config() {
	SECTION=$2
	SECTIONS="$SECTIONS $1:$2"
}

option() {
	eval "CONFIG_${SECTION}_$1=\$2"
}

list() {
	local count
	config_get count "$SECTION" "$1_LENGTH" 0
	count=$((count + 1))
	eval "CONFIG_${SECTION}_$1_LENGTH=$count; CONFIG_${SECTION}_$1_ITEM$count=\$2"
}

config_load() {
	SECTIONS=
	# shellcheck source=/dev/null
	. "$UCI/$1"
}

# config_get VARIABLE SECTION OPTION [DEFAULT]
config_get() {
	eval "$1=\${CONFIG_$2_$3-\${4-}}"
}

config_get_bool() {
	config_get "$@"
	eval "case \$$1 in 1 | on | true | yes | enabled) $1=1 ;; *) $1=0 ;; esac"
}

# config_foreach FUNCTION TYPE [WORDS]
config_foreach() {
	local function=$1 type=$2 section
	shift 2
	for section in $SECTIONS; do
		[ "${section%%:*}" != "$type" ] || "$function" "${section#*:}" "$@"
	done
}

# config_list_foreach SECTION OPTION FUNCTION [WORDS]
config_list_foreach() {
	local section=$1 option=$2 function=$3 count item=1 value
	shift 3
	config_get count "$section" "${option}_LENGTH" 0
	while [ "$item" -le "$count" ]; do
		config_get value "$section" "${option}_ITEM$item"
		"$function" "$value" "$@"
		item=$((item + 1))
	done
}

# network_get_device VARIABLE NETWORK
network_get_device() {
	local pair
	for pair in $DEVICES; do
		[ "${pair%%=*}" != "$2" ] || { eval "$1=\${pair#*=}" && return 0; }
	done
	return 1
}

logger() { echo "logger $*"; }
procd_open_instance() { echo "open $*"; }
procd_close_instance() { echo "close"; }
procd_set_param() { echo "set $*"; }
procd_kill() { echo "kill $*"; }
procd_add_reload_trigger() { echo "trigger reload $*"; }
procd_add_interface_trigger() { echo "trigger interface $*"; }
start() { start_service; }
reload() { reload_service; }
