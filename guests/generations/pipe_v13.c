/* In January 2009 a process could be saved that was not frozen. Its image goes through a slow pipe,
 * and comes back through one: not a byte behind its tail is taken.
 *
 * abi: v13
 * arches: x86_32 ppc32 ppc64
 * prints:
 *     saved: 1
 *     begins, and ends
 *     the copy
 *     begins, and ends
 *     left in the pipe: more
 */
#include "v13.h"

#define REPORT "/tmp/report"
#define GO "/tmp/go"
#define IMAGE "/tmp/image"

static void counted(void)
{
    keep_nothing_open();
    append(REPORT, "begins, ");
    wait_for(GO, 1);
    append(REPORT, "and ends\n");
    _exit(3);
}

/* Copies, a little at a time. */
static void pass(int from, int to)
{
    char piece[1500];
    ssize_t size;
    while ((size = read(from, piece, sizeof piece)) > 0)
        check(write(to, piece, size) == size);
    _exit(0);
}

static void ended(pid_t pid, int code)
{
    int status;
    check(waitpid(pid, &status, 0) == pid && status == code << 8);
}

int main(void)
{
    int ends[2];
    char rest[8] = "";
    pid_t child = fork();
    if (child == 0)
        counted();
    wait_for(REPORT, 8);
    check(pipe(ends) == 0 && fcntl(ends[1], F_SETPIPE_SZ, 4096) == 4096);
    pid_t reader = fork();
    if (reader == 0) {
        close(ends[1]);
        pass(ends[0], fresh(IMAGE));
    }
    say("saved: %ld\n", checkpoint_then(child, ends[1], 0));
    close(ends[1]);
    close(ends[0]);
    ended(reader, 0);
    append(GO, "!");
    ended(child, 3);
    say_file(REPORT);
    check(truncate(REPORT, 8) == 0);
    append(IMAGE, "more");

    check(pipe(ends) == 0 && fcntl(ends[1], F_SETPIPE_SZ, 4096) == 4096);
    pid_t writer = fork();
    if (writer == 0)
        pass(open(IMAGE, O_RDONLY), ends[1]);
    pid_t copy = fork();
    if (copy == 0) {
        restart_then(getpid(), ends[0], 0);
        _exit(99);
    }
    close(ends[1]);
    ended(copy, 3);
    say("the copy\n");
    say_file(REPORT);
    check(read(ends[0], rest, sizeof rest) == 4);
    say("left in the pipe: %s\n", rest);
    ended(writer, 0);
    return 0;
}
