/* stdio over a file: buffered writing, seeking in the middle, reading lines, ungetc, a
 * temporary file.
 *
 * libc: musl
 * prints:
 *     40 lines, total 20540
 *     first line: Row 7 square 0
 *     temporary at 9
 */
#include "guest.h"

int main(void)
{
    char line[64], word[16];
    int number, lines = 0, total = 0;
    FILE *file = fopen("table", "w+");
    check(file != NULL);
    for (int i = 0; i < 40; i++)
        check(fprintf(file, "row %d square %d\n", i, i * i) > 0);
    cr_point(); /* most of it is still in stdio's buffer */
    check(fseek(file, 0, SEEK_SET) == 0);
    while (fgets(line, sizeof line, file)) {
        check(sscanf(line, "row %*d %15s %d", word, &number) == 2);
        lines++;
        total += number;
        if (lines == 20)
            cr_point();
    }
    check(feof(file) && strcmp(word, "square") == 0);
    printf("%d lines, total %d\n", lines, total);
    check(fseek(file, 4, SEEK_SET) == 0 && fputs("7", file) >= 0 && fflush(file) == 0);
    rewind(file);
    check(fgetc(file) == 'r' && ungetc('R', file) == 'R');
    cr_point();
    check(fgets(line, sizeof line, file) != NULL);
    printf("first line: %s", line);
    check(fclose(file) == 0);
    FILE *scratch = fopen("scratch", "w+");
    check(scratch != NULL && remove("scratch") == 0);
    check(fputs("temporary", scratch) >= 0);
    cr_point();
    rewind(scratch);
    check(fgets(line, sizeof line, scratch) != NULL);
    printf("%s at %ld\n", line, ftell(scratch));
    return 0;
}
