#!/bin/bash
# Trains on several hosts of a Slurm cluster, and goes on after each time limit until it is trained:
#
#   sbatch --nodes=2 configs/slurm.sh configs/multi30k-de-en.yaml run=/shared/runs/de-en
#
# The run folder, the corpora and the environment of Python are on a file system that all hosts
# share. See docs/clusters.md.
#
#SBATCH --job-name=nmt
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=4
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --time=08:00:00
#SBATCH --signal=TERM@300
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log

# One task for each GPU. JAX gives each task the GPU of its number on the host, so each must see all
# of them: `--gpus-per-task` would hide them. On hosts without GPUs, leave out `--gpus-per-node` and
# give each host one task with all its cores.
#
# `--signal` is sent to the tasks, not to this script, so many seconds before the time limit: training
# saves and ends with the exit code 143. Then the job goes back to the queue.

set -uo pipefail

srun --label --kill-on-bad-exit=0 nmt train "$@" --distributed
code=$?
if [[ $code -eq 143 ]]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
