#!/usr/bin/env bash
# slurm-cluster.sh start DIR | stop DIR: a real Slurm of two nodes on this machine, each in a network namespace with a host
# name of its own. Needs root, Debian's slurm-wlm and munge; everything lies in DIR.
set -euo pipefail
action=$1
dir=$(realpath -m "$2")
net=10.231.77
bridge=coolslurm
nodes=(node1 node2)

stop() {
  local file pid
  for file in "$dir"/run/*.pid; do
    [ -e "$file" ] || continue
    pid=$(cat "$file")
    kill "$pid" 2>/dev/null || true
    # it writes its state down before it ends
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null && sleep 0.2 || break; done
  done
  # what the jobs of a node have left: all that is in its namespace
  for node in "${nodes[@]}"; do
    for pid in $(ip netns pids "cool-$node" 2>/dev/null); do kill -9 "$pid" 2>/dev/null || true; done
    ip netns del "cool-$node" 2>/dev/null || true
  done
  ip link del "$bridge" 2>/dev/null || true
}

if [ "$action" = stop ]; then
  stop
  exit 0
fi

stop
mkdir -p "$dir"/{run,state,log}
chmod 755 "$dir"
ip link add "$bridge" type bridge
ip addr add "$net.1/24" dev "$bridge"
ip link set "$bridge" up
for i in "${!nodes[@]}"; do
  node=${nodes[$i]}
  ip netns add "cool-$node"
  ip link add "cool$i" type veth peer name eth0 netns "cool-$node"
  ip link set "cool$i" master "$bridge" up
  ip -n "cool-$node" link set lo up
  ip -n "cool-$node" addr add "$net.1$((i + 1))/24" dev eth0
  ip -n "cool-$node" link set eth0 up
done

head -c 1024 /dev/urandom >"$dir/munge.key"
chmod 400 "$dir/munge.key"
munged --force --key-file="$dir/munge.key" --socket="$dir/run/munge.socket" --pid-file="$dir/run/munged.pid" \
  --log-file="$dir/log/munged.log" --seed-file="$dir/munge.seed"

cpus=$(nproc)
cat >"$dir/slurm.conf" <<CONF
ClusterName=cool
SlurmctldHost=$(hostname)($net.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
AuthType=auth/munge
# a job that is requeued may begin again after that many seconds
AuthInfo=socket=$dir/run/munge.socket,cred_expire=5
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool.%n
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmdPidFile=$dir/run/slurmd.%n.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SlurmdTimeout=10
KillWait=10
SchedulerParameters=batch_sched_delay=0,sched_interval=2
NodeName=node1 NodeAddr=$net.11 CPUs=$cpus
NodeName=node2 NodeAddr=$net.12 CPUs=$cpus
PartitionName=main Nodes=node1,node2 Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF="$dir/slurm.conf"
slurmctld
for node in "${nodes[@]}"; do
  nsenter --net="/run/netns/cool-$node" unshare --uts sh -c "hostname $node && exec slurmd -N $node"
done
for _ in $(seq 60); do
  [ "$(sinfo --noheader --format=%t --Node 2>/dev/null | grep -c idle)" -ge 2 ] && exit 0
  sleep 0.5
done
sinfo >&2 || true
tail -n 20 "$dir"/log/*.log >&2
exit 1
