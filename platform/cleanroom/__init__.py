"""`make cleanroom`: the README's two commands on a machine that has nothing, and what they missed there.

    environment  the variables a bare run gets; `.ci/run` and the tests of a bare machine start with them too
    room         a pristine Debian 12 root, made by mmdebstrap, and what of this machine crosses into it
    enter        the way in: mounts, another root, a fresh clone, the commands
    verdict      the last line: what was missing, read from the output

The room has its own root, mounts and processes; it shares the kernel and the network of this machine, so while it
works no other local cluster may run.
"""
