/* The hot path between Python and Unicorn: run until a stop, walk page tables, count code.
 *
 * It links to nothing: Unicorn's functions are called through pointers that Python fills in, and
 * Python reads and writes the same `struct cpu` as an array of 64-bit words. Nothing here knows
 * what a system call is; a hook only notes what happened and stops. twin.py does the same in
 * Python, and a test holds the two equal. The order of the fields is the contract: emu/accel/
 * __init__.py names them.
 */
#include <stdint.h>
#include <stddef.h>

typedef uint64_t u64;
typedef int64_t s64;
typedef uint8_t u8;

enum { STOP_NONE, STOP_BUDGET, STOP_INTERRUPT, STOP_SYSCALL, STOP_FAULT, STOP_ILLEGAL, STOP_PORT,
       STOP_FORBIDDEN, STOP_NO_SUCH };
enum { RESIDENT = 1, READ = 2, WRITE = 4, EXEC = 8, DIRTY = 16 };
enum { PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4 };
enum { ACCESS_READ = 16, ACCESS_WRITE = 17, ACCESS_FETCH = 18 };
enum { CTL_TLB_FLUSH = 11 | 1 << 30 }; /* Unicorn's, with the mark of a write */
enum { MOST_FILLS = 1 << 16, MAX_REGS = 96 };

struct tlb_entry {
    u64 paddr;
    uint32_t perms;
};

struct translated {
    u64 pc;
    uint16_t icount;
    uint16_t size;
};

struct cpu {
    /* filled in once */
    void *uc;
    int (*emu_start)(void *, u64, u64, u64, size_t);
    int (*emu_stop)(void *);
    int (*read_batch)(void *, int *, void **, int);
    int (*write_batch)(void *, int *, void **, int);
    int (*reg_write)(void *, int, const void *);
    int (*ctl)(void *, int, ...);
    u64 *nodes;
    /* the address space that runs, and a window for the machine's own stubs */
    u64 root;
    u64 window_page; /* only visible while window_frame is not 0 */
    u64 window_frame;
    u64 table_page; /* descriptor tables: always visible, read-only */
    u64 table_frame;
    u64 fills;       /* since the TLB was last flushed */
    u64 fills_limit; /* more than that: flush, because the TLB grows only when it is flushed */
    /* the count of executed code, in bytes */
    s64 spent;
    s64 limit;
    s64 left; /* limit - spent while code runs */
    s64 held; /* part of `left` that is put aside, so that the next block takes the slow way */
    u64 block_start;
    u64 block_end;
    /* why it stopped */
    u64 stop;
    u64 number;  /* interrupt number */
    u64 syscall_number; /* the one that is a system call; of more than 32 bits: none is */
    u64 fault_addr;
    u64 fault_access;
    u64 error;
    u64 *invalid_addr; /* where the engine notes the exact address of a refused access */
    u64 until;         /* stop at this address; 0: nowhere */
    /* instructions that must not run: found when code is translated */
    u8 *ram;
    u64 forbid_mask, forbid_word;
    u64 forbid_mask_2, forbid_word_2;
    u64 forbid_addr;
    /* time stamp counter = (tsc_base + spent - what of the block is still to come) / tsc_divisor */
    u64 tsc_base;
    u64 tsc_divisor;
    u64 pc_id;
    u64 ax_id, cx_id, dx_id;
    /* registers: n of them, moved in this order */
    u64 reg_count;
    u64 regs[MAX_REGS];
    u64 reg_ids[MAX_REGS];
    /* not seen from Python */
    int ids[MAX_REGS];
    void *ptrs[MAX_REGS];
};

size_t accel_size(void) { return sizeof(struct cpu); }

void accel_prepare(struct cpu *c)
{
    for (u64 i = 0; i < c->reg_count && i < MAX_REGS; i++) {
        c->ids[i] = (int)c->reg_ids[i];
        c->ptrs[i] = &c->regs[i];
    }
}

/* The engine's TLB doubles when it is flushed while well used, and never else. Between two blocks
 * no access is half done. */
static void grow_tlb(struct cpu *c)
{
    c->left += c->held;
    c->held = 0;
    c->fills = 0;
    c->ctl(c->uc, CTL_TLB_FLUSH);
    if (c->fills_limit < MOST_FILLS)
        c->fills_limit *= 2;
}

static __attribute__((noinline)) void block_slowly(u64 address, uint32_t size, struct cpu *c)
{
    if (c->held)
        grow_tlb(c);
    /* Stop only after a taken branch: where a block that falls through begins depends on how code
     * was cut into blocks, where a branch leads depends on the program alone. */
    if (c->left <= 0 && address != c->block_end) {
        c->stop = STOP_BUDGET;
        c->emu_stop(c->uc);
        return;
    }
    c->left -= size;
    c->block_start = address;
    c->block_end = address + size;
}

void accel_block(void *uc, u64 address, uint32_t size, struct cpu *c)
{
    (void)uc;
    s64 left = c->left;
    if (__builtin_expect(left <= 0, 0)) {
        block_slowly(address, size, c);
        return;
    }
    c->left = left - size;
    c->block_start = address;
    c->block_end = address + size;
}

void accel_interrupt(void *uc, uint32_t number, struct cpu *c)
{
    (void)uc;
    if (c->stop == STOP_NONE) {
        c->stop = number == c->syscall_number ? STOP_SYSCALL : STOP_INTERRUPT;
        c->number = number;
    }
    c->emu_stop(c->uc);
}

void accel_syscall(void *uc, struct cpu *c)
{
    (void)uc;
    if (c->stop == STOP_NONE)
        c->stop = STOP_SYSCALL;
    c->emu_stop(c->uc);
}

static u64 read_pc(struct cpu *c)
{
    u64 pc = 0;
    int id = (int)c->pc_id;
    void *where = &pc;
    c->read_batch(c->uc, &id, &where, 1);
    return pc;
}

/* The engine goes on to the end of the block; what counts is the first one that had to stop. */
static void refuse(struct cpu *c, u64 stop)
{
    if (c->stop == STOP_NONE) {
        c->stop = stop;
        c->fault_addr = read_pc(c);
    }
    c->emu_stop(c->uc);
}

uint32_t accel_port_in(void *uc, uint32_t port, int size, struct cpu *c)
{
    (void)uc, (void)port, (void)size;
    refuse(c, STOP_PORT);
    return 0;
}

void accel_port_out(void *uc, uint32_t port, int size, uint32_t value, struct cpu *c)
{
    (void)uc, (void)port, (void)size, (void)value;
    refuse(c, STOP_PORT);
}

void accel_no_such(void *uc, struct cpu *c)
{
    (void)uc;
    refuse(c, STOP_NO_SUCH);
}

int accel_illegal(void *uc, struct cpu *c)
{
    (void)uc;
    if (c->stop == STOP_NONE)
        c->stop = STOP_ILLEGAL;
    return 0;
}

/* Where the page's entry lies among the nodes; 0: nowhere. */
static u64 leaf(struct cpu *c, u64 page)
{
    u64 word;
    if (page >> 36)
        return 0;
    word = c->nodes[c->root << 9 | (page >> 27 & 511)];
    if (!word)
        return 0;
    word = c->nodes[word >> 12 << 9 | (page >> 18 & 511)];
    if (!word)
        return 0;
    word = c->nodes[word >> 12 << 9 | (page >> 9 & 511)];
    return word ? word >> 12 << 9 | (page & 511) : 0;
}

int accel_fill(void *uc, u64 address, int access, struct tlb_entry *entry, struct cpu *c)
{
    (void)uc;
    u64 page = address >> 12, word, index;
    if (++c->fills > c->fills_limit && c->left > 0 && !c->held) {
        c->held = c->left;
        c->left = 0;
    }
    if (c->window_frame && page == c->window_page) {
        entry->paddr = c->window_frame << 12;
        entry->perms = PROT_READ | PROT_WRITE | PROT_EXEC;
        return 1;
    }
    if (c->table_frame && page == c->table_page && access == ACCESS_READ) {
        entry->paddr = c->table_frame << 12;
        entry->perms = PROT_READ;
        return 1;
    }
    index = leaf(c, page);
    if (!index)
        goto miss;
    word = c->nodes[index];
    if (access == ACCESS_WRITE) {
        if (!(word & WRITE))
            goto miss;
        if (!(word & DIRTY)) {
            word |= DIRTY;
            c->nodes[index] = word;
        }
    } else if (!(word & (access == ACCESS_FETCH ? EXEC : READ))) {
        goto miss;
    }
    entry->paddr = word >> 12 << 12;
    entry->perms = (word & READ ? PROT_READ : 0) | (word & EXEC ? PROT_EXEC : 0);
    if ((word & WRITE) && (word & DIRTY))
        entry->perms |= PROT_WRITE;
    return 1;
miss:
    if (c->stop == STOP_NONE) {
        c->stop = STOP_FAULT;
        c->fault_access = (u64)access;
    }
    return 0;
}

/* A block has just been translated and not run yet. Blocks of the modes that forbid an instruction
 * lie in one page, and their instructions are big-endian words. */
void accel_translated(void *uc, struct translated *block, void *last, struct cpu *c)
{
    (void)uc, (void)last;
    u64 page = block->pc >> 12, index;
    if (c->window_frame && page == c->window_page)
        return;
    index = leaf(c, page);
    if (!index)
        return;
    const u8 *code = c->ram + (c->nodes[index] >> 12 << 12) + (block->pc & 4095);
    for (u64 at = 0; at + 4 <= block->size; at += 4) {
        u64 word = (u64)code[at] << 24 | code[at + 1] << 16 | code[at + 2] << 8 | code[at + 3];
        if ((word & c->forbid_mask) == c->forbid_word ||
            (word & c->forbid_mask_2) == c->forbid_word_2) {
            c->stop = STOP_FORBIDDEN;
            c->forbid_addr = block->pc + at;
            c->emu_stop(c->uc);
            return;
        }
    }
}

static void write_word(struct cpu *c, u64 id, u64 value)
{
    c->reg_write(c->uc, (int)id, &value);
}

int accel_rdtsc(void *uc, struct cpu *c)
{
    (void)uc;
    u64 executed = (u64)(c->limit - c->left - c->held) - (c->block_end - read_pc(c));
    u64 stamp = (c->tsc_base + executed) / c->tsc_divisor;
    write_word(c, c->ax_id, stamp & 0xffffffffu);
    write_word(c, c->dx_id, stamp >> 32);
    return 1;
}

int accel_rdtscp(void *uc, struct cpu *c)
{
    accel_rdtsc(uc, c);
    write_word(c, c->cx_id, 0);
    return 1;
}

/* Run from regs[0], the program counter, until something stops. Registers are in `regs` before
 * and after. */
void accel_run(struct cpu *c)
{
    c->stop = STOP_NONE;
    c->left = c->limit - c->spent;
    c->held = 0;
    c->write_batch(c->uc, c->ids, c->ptrs, (int)c->reg_count);
    c->error = (u64)c->emu_start(c->uc, c->regs[0], c->until, 0, 0);
    c->read_batch(c->uc, c->ids, c->ptrs, (int)c->reg_count);
    c->spent = c->limit - c->left - c->held;
    if (c->stop == STOP_FAULT)
        c->fault_addr = *c->invalid_addr;
}
