/* Much memory of every kind that a program is born with: data, zeroed data, heap; all of
 * it is changed here and there.
 *
 * prints:
 *     sum 44550c24
 */
#include "guest.h"

enum { CELLS = 16 * 1024, HEAP_SIZE = 512 * 1024 };
static uint32_t born[CELLS] = {1, 2, 3, [CELLS - 1] = 77};
static uint32_t zeroed[CELLS];
static const char constant[] = "this text is read-only";

int main(void)
{
    uint32_t sum = 2166136261u;
    char *heap = sbrk(HEAP_SIZE);
    check(heap != (void *)-1);
    memset(heap, 0x5a, HEAP_SIZE);
    cr_point();
    for (int i = 0; i < CELLS; i += 512) {
        check(zeroed[i] == 0 && (i == 0 || born[i] == 0));
        zeroed[i] = (uint32_t)i;
        born[i + 256] = ~(uint32_t)i;
    }
    cr_point();
    for (int i = 0; i < CELLS; i += 256)
        sum = fold_number(fold_number(sum, zeroed[i]), born[i]);
    for (int i = 0; i < HEAP_SIZE; i += 4096)
        sum = fold(sum, heap + i, 4);
    check(born[CELLS - 1] == 77 && heap[HEAP_SIZE - 1] == 0x5a);
    sum = fold(sum, constant, sizeof constant);
    cr_point();
    say("sum %x\n", (unsigned)sum);
    return 0;
}
