/* malloc, realloc and free in a random walk, and qsort with bsearch over what is left.
 *
 * libc: musl
 * prints:
 *     heap 2e3c7fa4
 *     sorted: 217 ... 99972
 */
#include "guest.h"

enum { SLOTS = 64, STEPS = 600 };
static unsigned char *blocks[SLOTS];
static size_t sizes[SLOTS];
static uint32_t state = 42;

static uint32_t next(uint32_t below)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % below;
}

static int compare(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void walk(int step)
{
    uint32_t i = next(SLOTS);
    if (blocks[i]) {
        check(blocks[i][0] == (unsigned char)i && blocks[i][sizes[i] - 1] == (unsigned char)i);
        if (step % 3) {
            free(blocks[i]);
            blocks[i] = NULL;
            return;
        }
    }
    size_t size = 1 + next(step % 50 == 0 ? 200000 : 900);
    blocks[i] = realloc(blocks[i], size);
    check(blocks[i] != NULL);
    blocks[i][0] = blocks[i][size - 1] = (unsigned char)i;
    sizes[i] = size;
}

int main(void)
{
    static uint32_t numbers[500];
    uint32_t sum = 2166136261u, key;
    for (int step = 0; step < STEPS; step++) {
        walk(step);
        if (step % 100 == 99)
            cr_point();
    }
    for (int i = 0; i < SLOTS; i++)
        if (blocks[i])
            sum = fold_number(fold_number(sum, (uint64_t)i), sizes[i]);
    printf("heap %x\n", (unsigned)sum);
    fflush(stdout);
    for (int i = 0; i < 500; i++)
        numbers[i] = next(100000);
    cr_point();
    key = numbers[77];
    qsort(numbers, 500, sizeof numbers[0], compare);
    cr_point();
    for (int i = 1; i < 500; i++)
        check(numbers[i - 1] <= numbers[i]);
    check(bsearch(&key, numbers, 500, sizeof key, compare) != NULL);
    printf("sorted: %u ... %u\n", (unsigned)numbers[0], (unsigned)numbers[499]);
    return 0;
}
