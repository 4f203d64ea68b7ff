"""Every story in the kernel model: straight, and with checkpoint, reboot, restart on the way.

After each restart the dump of the new kernel equals that of the old one, and a checkpoint of it
is the same image; at the end console, status, clock and dump equal those of a straight run.
"""

import pytest

from guests.stories import Story, all_stories
from tests.harness.model import (
    assert_same,
    every_call,
    in_the_middle,
    run_cycled,
    run_straight,
    spread,
)

Case = tuple[Story, str, str]

# What issue A names, and what else is cheap: at every system call, always, on all four modes.
AT_EVERY_CALL = {
    "basics/counter",
    "basics/stdin_echo",
    "checkpoint/external",
    "checkpoint/own_network",
    "checkpoint/self_tree",
    "checkpoint/through_pipe",
    "checkpoint/tree",
    "checkpoint/unprivileged",
    "cpu/altivec",
    "cpu/best_unit",
    "cpu/float_series",
    "cpu/fpr",
    "cpu/integer_registers",
    "cpu/vsx",
    "cpu/x87_sse",
    "credentials/capabilities",
    "credentials/saved_ids",
    "events/epoll_level",
    "events/epoll_mask",
    "events/epoll_nested",
    "events/epoll_signalfd",
    "events/eventfd",
    "events/timerfd",
    "generations/pipe_v13",
    "generations/self_v2",
    "generations/self_v18",
    "generations/tree_v13",
    "files/append",
    "files/busy_text",
    "files/directory",
    "files/dnotify",
    "files/dup",
    "files/fifo",
    "files/holes",
    "files/inotify",
    "files/large",
    "files/memfd",
    "files/path_only",
    "files/permissions",
    "files/pipe",
    "files/pipe_by_name",
    "files/removed_directory",
    "files/removed_root",
    "files/removed_working_directory",
    "files/rename_edges",
    "files/splice",
    "files/unlinked",
    "files/unlinked_fifo",
    "files/watched_unlinked",
    "ipc/messages",
    "ipc/semaphores",
    "ipc/shared_segment",
    "jobs/background",
    "jobs/background_writes",
    "jobs/group_errors",
    "jobs/orphans",
    "jobs/shell",
    "jobs/stop_continue",
    "libc/interfaces",
    "libc/sort_malloc",
    "libc/stdio_file",
    "locks/lease",
    "locks/records",
    "locks/whole_file",
    "memory/brk",
    "memory/deep_recursion",
    "memory/mmap_heap",
    "memory/mremap",
    "memory/private_file",
    "memory/protection_bits",
    "memory/shared_anonymous",
    "memory/shared_file",
    "namespaces/hidden",
    "namespaces/ipc",
    "namespaces/mount_errors",
    "namespaces/mount_namespaces",
    "namespaces/mounts",
    "namespaces/setns",
    "namespaces/users",
    "namespaces/watched_mount",
    "process/bad_arguments",
    "process/efault",
    "process/efault_order",
    "process/fdinfo",
    "process/file_limits",
    "process/plain_user",
    "process/proc_tasks",
    "process/proc_sys",
    "process/properties",
    "processes/exec_from_thread",
    "processes/execveat",
    "processes/membarrier",
    "processes/orphan",
    "processes/pi_futex",
    "processes/pidfd",
    "processes/requeue",
    "processes/robust",
    "processes/vfork",
    "processes/waitid",
    "processes/woken_and_stopped",
    "scheduling/inheritance",
    "scheduling/nice",
    "scheduling/policies",
    "scheduling/proc_stat",
    "signals/altstack",
    "signals/nested",
    "signals/never_restarted",
    "signals/pending",
    "signals/queue",
    "signals/restart_classes",
    "signals/restart_read",
    "signals/sigio",
    "signals/signalfd",
    "signals/wait_for",
    "signals/waiting",
    "sockets/credentials",
    "sockets/datagram",
    "sockets/devices",
    "sockets/full",
    "sockets/listen_accept",
    "sockets/new_network",
    "sockets/options",
    "sockets/pair_stream",
    "sockets/pass_fds",
    "sockets/seqpacket",
    "sockets/slow_stream",
    "sockets/tcp_edges",
    "sockets/tcp_talk",
    "sockets/udp",
    "terminals/canonical",
    "terminals/closing",
    "terminals/controlling",
    "terminals/flow",
    "terminals/hangup",
    "terminals/instances",
    "terminals/packet",
    "terminals/raw",
    "terminals/settings",
    "terminals/signals",
    "terminals/watching",
    "time/absolute_sleep",
    "time/cpu_clocks",
    "time/cpu_timers",
    "time/interval_timer",
    "time/nanosleep",
    "time/posix_timer",
    "time/sleep_interrupted",
}


def is_in_every_run(story: Story, kind: str) -> bool:
    return story.name in AT_EVERY_CALL and kind == story.builds[0]


def cases(place: str | None) -> list[object]:
    return [
        pytest.param(
            (story, arch, kind),
            id=f"{story.name}-{arch}-{kind}",
            marks=[pytest.mark.nightly]
            if place == "every-syscall" and not is_in_every_run(story, kind)
            else [],
        )
        for story in all_stories()
        for arch in story.arches
        for kind in story.builds
        if place is None or place in story.cr
    ]


@pytest.mark.parametrize("case", cases(None))
def test_keeps_its_promise(case: Case) -> None:
    story, _, _ = case
    result = run_straight(*case)
    if story.prints_like is None:
        assert result.console == story.prints
    assert story.agrees(result.console), result.console
    assert result.status == story.exits
    assert result.not_modelled == {}


@pytest.mark.parametrize("case", cases("at-points"))
def test_restarted_at_points(case: Case, cr_places: str) -> None:
    if cr_places != "points":
        pytest.skip(f"--cr={cr_places}")
    straight = run_straight(*case)
    places = spread(straight.calls)
    result = run_cycled(*case, places)
    assert result.cycles == len(places)
    assert_same(result, straight)
    by_time = in_the_middle(straight.units)
    result = run_cycled(*case, by_time)
    assert result.cycles == len(by_time)
    assert_same(result, straight)


@pytest.mark.slow
@pytest.mark.parametrize("case", cases("every-syscall"))
def test_restarted_at_every_call(case: Case, cr_places: str) -> None:
    if cr_places == "never":
        pytest.skip("--cr=never")
    straight = run_straight(*case)
    result = run_cycled(*case, every_call())
    assert result.cycles == straight.calls  # the last time with init alone
    assert_same(result, straight)
