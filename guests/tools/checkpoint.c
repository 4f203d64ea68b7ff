/* checkpoint [-c] [-N] [-o IMAGE] [-l LOG] PID: write an image of PID and its descendants, who are
 * frozen, to IMAGE or to the standard output.
 *
 * -c takes PID as a container: it is the first process of its pid namespace, and nothing of it may
 * be shared with anybody outside. -N saves network namespaces too. IMAGE must not be there yet. The
 * kernel's reason for a refusal goes to LOG, or to the standard error.
 */
#include "guest.h"

#define CHECKPOINT_SUBTREE 1
#define CHECKPOINT_NETNS 2

static _Noreturn void usage(void)
{
    dprintf(2, "usage: checkpoint [-c] [-N] [-o IMAGE] [-l LOG] PID\n");
    exit(2);
}

static int new_file(const char *name)
{
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);
    if (fd < 0) {
        dprintf(2, "checkpoint: %s: %s\n", name, strerror(errno));
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    unsigned long flags = CHECKPOINT_SUBTREE;
    int image = 1, log = 2, option;
    char *end;
    while ((option = getopt(argc, argv, "cNo:l:")) != -1)
        switch (option) {
        case 'c':
            flags &= ~CHECKPOINT_SUBTREE;
            break;
        case 'N':
            flags |= CHECKPOINT_NETNS;
            break;
        case 'o':
            image = new_file(optarg);
            break;
        case 'l':
            log = new_file(optarg);
            break;
        default:
            usage();
        }
    if (optind != argc - 1)
        usage();
    long pid = strtol(argv[optind], &end, 10);
    if (*end || pid <= 0)
        usage();
    long result = raw_syscall(NR_checkpoint, pid, image, flags, log, 0, 0);
    if (result < 0) {
        dprintf(2, "checkpoint: %s\n", strerror(-result));
        return 1;
    }
    return 0;
}
