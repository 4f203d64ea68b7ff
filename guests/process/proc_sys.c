/* /proc: what tools ask of a process and of the kernel: statm, cgroup, the limits in /proc/sys, and
 * the System V objects that ipcs lists.
 *
 * prints:
 *     statm has 7 fields; more memory shows
 *     personality 00000000, cgroup ends with a path
 *     the numbers are numbers: 12
 *     sem: 4 numbers
 *     boot_id stays, uuid does not: 37 37
 *     heads of sysvipc: shmid semid msqid
 *     the segment: 600 12345 1
 *     the set: 640 3
 *     the queue: 620 5 1
 *     no swap; mem is a device
 *     nothing is made: 2 2 2
 */
#include "sysv.h"

static char text[65536], other[64];

static int slurp_at(int fd)
{
    ssize_t n, size = 0;
    check(fd >= 0);
    while ((n = read(fd, text + size, sizeof text - 1 - (size_t)size)) > 0)
        size += n;
    check(close(fd) == 0);
    text[size] = 0;
    return (int)size;
}

static int slurp(const char *path)
{
    return slurp_at(open(path, O_RDONLY));
}

static int number_in(const char *path)
{
    int size = slurp(path), digits = 0;
    while (text[digits] >= '0' && text[digits] <= '9')
        digits++;
    return digits > 0 && digits + 1 == size && text[digits] == '\n';
}

/* The words of a line; how many. */
static int words(char *line, char **into)
{
    int count = 0;
    for (char *at = line; *at && *at != '\n';) {
        while (*at == ' ' || *at == '\t')
            *at++ = 0;
        if (!*at || *at == '\n')
            break;
        check(count < 20);
        into[count++] = at;
        while (*at && *at != ' ' && *at != '\t' && *at != '\n')
            at++;
    }
    return count;
}

static int next_line(char **at)
{
    while (**at && **at != '\n')
        ++*at;
    if (**at)
        *(*at)++ = 0;
    return **at != 0;
}

/* The words of the line of an object; each is followed by a zero. */
static void find_object(const char *path, int id, char **into, int wanted)
{
    check(slurp(path) > 0);
    for (char *at = text; next_line(&at);) {
        char *end = at;
        while (*end != '\n')
            end++;
        *end = 0;
        int count = words(at, into);
        *end = '\n';
        if (atoi(into[1]) != id) {
            at = end;
            continue;
        }
        check(count == wanted);
        return;
    }
    check(0);
}

static const char *const numbers[] = {
    "fs/nr_open", "fs/pipe-max-size", "kernel/cap_last_cap", "kernel/msgmax", "kernel/msgmnb",
    "kernel/msgmni", "kernel/ngroups_max", "kernel/shmmax", "kernel/shmmni", "vm/max_map_count",
    "vm/mmap_min_addr", "vm/overcommit_memory",
};

int main(void)
{
    char path[64], *word[20], *more = NULL;
    check(slurp("/proc/self/statm") > 0 && words(text, word) == 7);
    int before = atoi(word[0]);
    more = mmap(NULL, 64 * 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(more != MAP_FAILED && slurp("/proc/self/statm") > 0 && words(text, word) == 7);
    check(atoi(word[0]) == before + 1024 && atoi(word[1]) > 0 && atoi(word[3]) > 0);
    memset(more, 1, 64 * 65536);
    check(slurp("/proc/self/statm") > 0 && words(text, word) == 7);
    check(atoi(word[1]) >= 1024);
    say("statm has 7 fields; more memory shows\n");
    check(slurp("/proc/self/personality") == 9);
    text[8] = 0;
    say("personality %s, cgroup ends with a path\n", text);
    check(slurp("/proc/self/cgroup") > 0 && strchr(text, '/') != NULL);
    check(number_in("/proc/self/oom_score"));
    int good = 0;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        snprintf(path, sizeof path, "/proc/sys/%s", numbers[i]);
        good += number_in(path);
    }
    say("the numbers are numbers: %d\n", good);
    int sem = open("/proc/sys/kernel/sem", O_RDONLY);
    cr_point();
    check(slurp_at(sem) > 0);
    say("sem: %d numbers\n", words(text, word));
    int boot = slurp("/proc/sys/kernel/random/boot_id");
    memcpy(other, text, sizeof other);
    cr_point();
    check(slurp("/proc/sys/kernel/random/boot_id") == boot && strcmp(text, other) == 0);
    int size = slurp("/proc/sys/kernel/random/uuid");
    memcpy(other, text, sizeof other);
    check(slurp("/proc/sys/kernel/random/uuid") == size && strcmp(text, other) != 0);
    say("boot_id stays, uuid does not: %d %d\n", boot, size);
    say("heads of sysvipc:");
    const char *const kinds[] = {"shm", "sem", "msg"};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "/proc/sysvipc/%s", kinds[i]);
        check(slurp(path) > 0);
        *strchr(text, '\n') = 0;
        words(text, word);
        say(" %s", word[1]);
    }
    say("\n");
    int shm = shmget(IPC_PRIVATE, 12345, IPC_CREAT | 0600);
    int set = semget(IPC_PRIVATE, 3, IPC_CREAT | 0640);
    int queue = msgget(IPC_PRIVATE, IPC_CREAT | 0620);
    check(shm >= 0 && set >= 0 && queue >= 0 && shmat(shm, NULL, 0) != MAP_FAILED);
    struct { long type; char text[8]; } message = {1, "fives"};
    check(msgsnd(queue, &message, 5, 0) == 0);
    cr_point();
    find_object("/proc/sysvipc/shm", shm, word, 16);
    say("the segment: %s %s %s\n", word[2], word[3], word[6]);
    find_object("/proc/sysvipc/sem", set, word, 10);
    say("the set: %s %s\n", word[2], word[3]);
    find_object("/proc/sysvipc/msg", queue, word, 14);
    say("the queue: %s %s %s\n", word[2], word[3], word[4]);
    check(shmctl(shm, IPC_RMID, NULL) == 0 && msgctl(queue, IPC_RMID, NULL) == 0);
    check(semctl(set, 0, IPC_RMID, (union semun){0}) == 0);
    check(slurp("/proc/swaps") > 0 && memcmp(text, "Filename\t", 9) == 0);
    check(slurp("/proc/cmdline") > 0);
    check(slurp("/proc/devices") > 0 && memcmp(text, "Character devices:\n  1 mem\n", 27) == 0);
    say("no swap; mem is a device\n");
    int one = open("/proc/name", O_RDWR | O_CREAT, 0600) == -1 ? errno : 0;
    int two = mkdir("/proc/self/name", 0700) == -1 ? errno : 0;
    say("nothing is made: %d %d %d\n", one, two, symlink("x", "/proc/name") == -1 ? errno : 0);
    return 0;
}
