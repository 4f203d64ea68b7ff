/* What a tool must know of an image before the kernel reads it: who is in it.
 *
 * The sections before the tasks are read and kept (`prefix`), so that they can be handed on through
 * a pipe; nothing behind them is touched.
 */
#ifndef TOOLS_IMAGE_H
#define TOOLS_IMAGE_H
#include "guest.h"

#define HDR_PIDS 101
#define HDR_TREE 102
#define MOST_TASKS 256
#define PID_NULL (-4096)
#define PID_ROOT (-4097)
#define MOST_LEVELS 4

struct numbers {
    int depth;
    int level[MOST_LEVELS]; /* in the root's namespace, and in those below */
};

struct identity {
    struct numbers *pid, *parent, *tgid, *pgid, *sid; /* NULL: it lies outside */
};

struct image {
    int fd;
    unsigned char *prefix;
    size_t length, room;
    int nr_tasks, nr_pids;
    struct numbers pids[2 * MOST_TASKS];
    struct identity tasks[MOST_TASKS];
};

static void give_up(const char *why)
{
    say("restart: %s\n", why);
    _exit(1);
}

static void read_fully(int fd, void *to, size_t count)
{
    char *place = to;
    while (count) {
        ssize_t got = read(fd, place, count);
        if (got <= 0)
            give_up("the image ends before its tree");
        place += got;
        count -= got;
    }
}

/* The next record, with its frame; its payload is at the end of the prefix. */
static uint32_t next_record(struct image *image, unsigned char **payload, size_t *size)
{
    uint32_t frame[2];
    read_fully(image->fd, frame, sizeof frame);
    if (frame[1] < 8 || frame[1] > 1 << 20)
        give_up("a record of absurd length");
    if (image->length + frame[1] > image->room) {
        image->room = 2 * (image->length + frame[1]);
        image->prefix = realloc(image->prefix, image->room);
        check(image->prefix);
    }
    memcpy(image->prefix + image->length, frame, sizeof frame);
    *payload = image->prefix + image->length + 8;
    *size = frame[1] - 8;
    read_fully(image->fd, *payload, *size);
    image->length += frame[1];
    return frame[0];
}

static int32_t word(const unsigned char *place)
{
    int32_t value;
    memcpy(&value, place, 4);
    return value;
}

static struct numbers *pid_object(struct image *image, int objref, int offset)
{
    if (objref == PID_NULL || objref == PID_ROOT)
        return NULL;
    if (objref < offset || objref >= offset + image->nr_pids)
        give_up("a pid object that is not there");
    return &image->pids[objref - offset];
}

static void read_pids(struct image *image, const unsigned char *place, size_t size)
{
    const unsigned char *end = place + size;
    if (image->nr_pids > 2 * MOST_TASKS)
        give_up("too many pids");
    for (int i = 0; i < image->nr_pids; i++) {
        if (end - place < 8)
            give_up("fewer pids than announced");
        struct numbers *one = &image->pids[i];
        one->depth = word(place);
        if (one->depth < 0 || one->depth >= MOST_LEVELS || end - place < 8 + 4 * one->depth)
            give_up("pid namespaces nested too deep");
        for (int level = 0; level <= one->depth; level++)
            one->level[level] = word(place + 4 + 4 * level);
        place += 8 + 4 * one->depth;
    }
}

static void read_tree(struct image *image, const unsigned char *place, size_t size, int offset)
{
    if (image->nr_tasks <= 0 || image->nr_tasks > MOST_TASKS)
        give_up("too many tasks");
    if (size != 24u * image->nr_tasks)
        give_up("a tree of the wrong length");
    for (int i = 0; i < image->nr_tasks; i++, place += 24) {
        struct identity *one = &image->tasks[i];
        one->pid = pid_object(image, word(place), offset);
        one->parent = word(place + 4) ? pid_object(image, word(place + 4), offset) : NULL;
        one->tgid = pid_object(image, word(place + 8), offset);
        one->pgid = pid_object(image, word(place + 12), offset);
        one->sid = pid_object(image, word(place + 16), offset);
        if (!one->pid || !one->tgid)
            give_up("a task without a number");
    }
}

/* Read everything up to the tree. */
static void read_prefix(struct image *image, int fd)
{
    unsigned char *payload;
    size_t size;
    int offset = 0;
    image->fd = fd;
    for (;;) {
        uint32_t type = next_record(image, &payload, &size);
        if (type != HDR_PIDS && type != HDR_TREE)
            continue;
        if (size < (type == HDR_PIDS ? 12 : 8))
            give_up("a record that is too short");
        int count = word(payload);
        offset = type == HDR_PIDS ? word(payload + 8) : offset;
        next_record(image, &payload, &size);
        if (type == HDR_PIDS) {
            image->nr_pids = count;
            read_pids(image, payload, size);
        } else {
            image->nr_tasks = count;
            read_tree(image, payload, size, offset);
            return;
        }
    }
}

#endif
