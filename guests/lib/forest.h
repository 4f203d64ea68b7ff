/* The forest: from the numbers of an image to live tasks with the same numbers and families.
 *
 * Fork gives a child its parent's session, and a number the kernel chooses; so the order matters, and
 * some children must be made by somebody else than the parent that the image names. Each entry of
 * the table gets a creator, by the rules of "Transparent Checkpoint-Restart of Multiple Processes"
 * (USENIX 2007), and then every task does the same: make the children that must not be in its
 * session, begin the session, make the others, and wait for the kernel to make somebody of it.
 * Numbers that no task has, but a session or a group, are held by ghosts until the kernel is done.
 */
#ifndef TOOLS_FOREST_H
#define TOOLS_FOREST_H
#include "image.h"

#define RESTART_GHOST 4
#define STACK_BYTES 16384
#define THREAD 1  /* of its creator's process */
#define GHOST 2   /* nobody in the image */
#define EARLY 4   /* made before its creator begins a session */
#define SIBLING 8 /* its creator's sister, not its child */

struct entry {
    struct numbers *pid, *tgid, *pgid, *sid;
    int parent, creator, flags;
};

struct forest {
    int count;
    struct entry entries[3 * MOST_TASKS];
};

static struct forest forest;
static int reports[2]; /* each task, when it is ready to be restarted, writes a byte */

struct clone_args {
    uint64_t flags_high, stack, stack_size, parent_tid, child_tid;
    uint32_t nr_pids, reserved;
};

static int same(const struct numbers *a, const struct numbers *b)
{
    return a && b && a->level[0] == b->level[0];
}

static int find(const struct numbers *pid)
{
    for (int i = 0; i < forest.count; i++)
        if (same(forest.entries[i].pid, pid))
            return i;
    return -1;
}

static void add_ghost(struct numbers *pid, struct numbers *sid, int parent)
{
    struct entry ghost = {pid, pid, pid, sid, parent, -1, GHOST};
    forest.entries[forest.count++] = ghost;
}

static void plant(struct image *image)
{
    struct numbers *inherited = NULL;
    for (int i = 0; i < image->nr_tasks; i++) {
        struct identity *one = &image->tasks[i];
        struct entry entry = {one->pid, one->tgid, one->pgid, one->sid, -1, -1, 0};
        forest.entries[forest.count++] = entry;
    }
    if (!same(forest.entries[0].sid, forest.entries[0].pid))
        inherited = forest.entries[0].sid;
    for (int i = 0; i < image->nr_tasks; i++) {
        struct entry *entry = &forest.entries[i];
        entry->parent = image->tasks[i].parent ? find(image->tasks[i].parent) : -1;
        if (inherited && same(entry->sid, inherited))
            entry->sid = NULL;
    }
    for (int i = 0; i < image->nr_tasks; i++)
        if (forest.entries[i].sid && find(forest.entries[i].sid) < 0)
            add_ghost(forest.entries[i].sid, forest.entries[i].sid, 0);
    for (int i = 0; i < image->nr_tasks; i++) {
        struct entry *entry = &forest.entries[i];
        if (entry->pgid && find(entry->pgid) < 0 && !same(entry->pgid, inherited))
            add_ghost(entry->pgid, entry->sid, entry->sid ? find(entry->sid) : 0);
    }
}

/* Who makes entry `i`, by the first rule that fits. */
static void choose_creator(int i)
{
    struct entry *entry = &forest.entries[i];
    if (!same(entry->pid, entry->tgid)) {
        entry->creator = find(entry->tgid);
        entry->flags |= THREAD;
        return;
    }
    if (i == 0)
        return;
    if (entry->parent < 0)
        give_up("a task without a parent");
    struct entry *parent = &forest.entries[entry->parent];
    int leader = entry->sid ? find(entry->sid) : 0;
    entry->creator = entry->parent;
    if (leader == i || same(entry->sid, parent->sid) || (!entry->sid && !parent->sid))
        return;
    if (forest.entries[leader].creator == entry->parent && leader) {
        entry->creator = leader;
        entry->flags |= SIBLING;
        return;
    }
    /* In an older session than its parent: everybody between must fork before it setsid()s. */
    for (int child = i; child > 0; child = forest.entries[child].creator) {
        forest.entries[child].flags |= EARLY;
        if (same(forest.entries[forest.entries[child].creator].sid, entry->sid))
            break;
    }
}

static int work(void *argument);

/* Give entry `i` a task. */
static void grow(int i)
{
    struct entry *entry = &forest.entries[i];
    struct entry *creator = entry->creator < 0 ? NULL : &forest.entries[entry->creator];
    long flags = entry->flags & THREAD ? 0x10f00 : SIGCHLD; /* VM FS FILES SIGHAND THREAD */
    struct clone_args args;
    memset(&args, 0, sizeof args);
    static void *box[3 * MOST_TASKS][2];
    box[i][0] = (void *)work;
    box[i][1] = entry;
    if (entry->flags & THREAD) {
        char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                           -1, 0);
        check(stack != MAP_FAILED);
#ifdef __powerpc__
        args.stack = (uintptr_t)stack;
        args.stack_size = STACK_BYTES;
#else
        args.stack = (uintptr_t)stack + STACK_BYTES;
#endif
    }
    if (entry->flags & SIBLING)
        flags |= 0x8000; /* CLONE_PARENT */
    int deeper = creator && entry->pid->depth > creator->pid->depth;
    if (deeper)
        flags |= 0x20000000; /* CLONE_NEWPID: its own level is implied */
    int pids[MOST_LEVELS];
    args.nr_pids = entry->pid->depth + 1 - deeper;
    for (unsigned level = 0; level < args.nr_pids; level++)
        pids[level] = entry->pid->level[level];
    long made = raw_eclone(NR_eclone, flags, &args, sizeof args, pids, box[i]);
    if (made != pids[args.nr_pids - 1] && !deeper)
        give_up("a number is taken");
}

static int work(void *argument)
{
    struct entry *entry = argument;
    int own = entry - forest.entries;
    for (int i = 0; i < forest.count; i++)
        if (forest.entries[i].creator == own && forest.entries[i].flags & EARLY)
            grow(i);
    if (same(entry->sid, entry->pid))
        raw_syscall(NR_setsid, 0, 0, 0, 0, 0, 0);
    else if (same(entry->pgid, entry->pid))
        raw_syscall(NR_setpgid, 0, 0, 0, 0, 0, 0);
    for (int i = 0; i < forest.count; i++)
        if (forest.entries[i].creator == own && !(forest.entries[i].flags & EARLY))
            grow(i);
    raw_syscall(NR_write, reports[1], (long)"r", 1, 0, 0, 0);
    raw_syscall(NR_restart, 0, 0, entry->flags & GHOST ? RESTART_GHOST : 0, -1, 0, 0);
    return 1;
}

/* Make the whole tree; its root is a child of the caller. */
static int grow_forest(struct image *image)
{
    plant(image);
    for (int i = 0; i < forest.count; i++)
        choose_creator(i);
    check(pipe(reports) == 0);
    grow(0);
    close(reports[1]);
    for (int i = 0; i < forest.count; i++) {
        char byte;
        if (read(reports[0], &byte, 1) != 1)
            give_up("a task could not be made");
    }
    close(reports[0]);
    return forest.entries[0].pid->level[0];
}

#endif
