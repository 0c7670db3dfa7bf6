/* What take-profits earn at all candidates h, for one candidate l.

   A row is kept as changes of a line from one candidate to the next, and summed in parts of equal length side by side:
   candidate `t` of part `j` lies at `t * PARTS + j`. A change of any number of candidates is a number at either end. */

#ifndef ROW_H
#define ROW_H

#include "changes.h"

enum { PARTS = 8 };

/* Numbers that are added side by side; compilers seldom find out by themselves that they can be. */
#if defined(__GNUC__)
#define ALIKE __attribute__((always_inline)) static inline /* compiled as what calls it */
enum { SOME = 4 };
typedef double Some __attribute__((vector_size(32), aligned(8), may_alias));
typedef long long Choices __attribute__((vector_size(32), aligned(8)));
#define SOME_AT(place) (*(const Some *)(place))
#define GREATER(a, b) ((Some)((((a) > (b)) & (Choices)(a)) | (~((a) > (b)) & (Choices)(b))))
#else
#define ALIKE static inline
enum { SOME = 1 };
typedef double Some;
#define SOME_AT(place) (*(const Some *)(place))
#define GREATER(a, b) ((a) > (b) ? (a) : (b))
#endif

typedef struct {
    double *sums[4];         /* [length + 1, PARTS] the changes of a surface, as its fields */
    double totals[4][PARTS]; /* of each part */
    double *x;               /* [length, PARTS] candidates h; the last one again where there are none */
    int32_t *slots;          /* [wide + 1] where each candidate lies; the last one: where nobody looks */
    Count wide, length;
    int rising;              /* whether anything changes with l between two changes */
} Row;

static void start_row(Row *row, const double *h, Count wide) {
    row->wide = wide, row->length = (wide + PARTS - 1) / PARTS, row->rising = 0;
    for (Count part = 0, k = 0; part < PARTS; part++)
        for (Count t = 0; t < row->length; t++, k++) {
            row->x[t * PARTS + part] = h[k < wide ? k : wide - 1];
            if (k < wide) row->slots[k] = (int32_t)(t * PARTS + part);
        }
    row->slots[wide] = (int32_t)(row->length * PARTS + PARTS - 1);
    memset(row->totals, 0, sizeof row->totals);
    for (int i = 0; i < 4; i++) memset(row->sums[i], 0, (size_t)((row->length + 1) * PARTS) * sizeof(double));
}

static inline void change(Row *row, Count slot, const Surface *by, double size) {
    Count part = slot % PARTS;
    double more[4] = {size * by->constant, size * by->by_h, size * by->by_l, size * by->by_both};
    for (int i = 0; i < (row->rising ? 4 : 2); i++) row->sums[i][slot] += more[i], row->totals[i][part] += more[i];
}

/* The profits at a candidate l, into `profits`, in their slots; returns the greatest. */
ALIKE double profits_at(const Row *row, double l, int rising, double *profits) {
    double starts[3][PARTS], sums[2] = {0.0, 0.0}, most = -INFINITY;
    const double *a = row->sums[0], *b = row->sums[1], *c = row->sums[2], *d = row->sums[3], *x = row->x;
    Some constant[PARTS / SOME], slope[PARTS / SOME], best[PARTS / SOME];
    for (int j = 0; j < PARTS; j++) {
        starts[2][j] = -INFINITY;
        for (int i = 0; i < 2; i++) {
            starts[i][j] = sums[i];
            sums[i] += row->totals[i][j] + (rising ? l * row->totals[i + 2][j] : 0.0);
        }
    }
    memcpy(constant, starts[0], sizeof constant), memcpy(slope, starts[1], sizeof slope);
    memcpy(best, starts[2], sizeof best);
    for (Count t = 0; t < row->length * PARTS; t += PARTS)
        for (int j = 0; j < PARTS / SOME; j++) {
            Count at = t + j * SOME;
            if (rising) {
                constant[j] += SOME_AT(a + at) + l * SOME_AT(c + at);
                slope[j] += SOME_AT(b + at) + l * SOME_AT(d + at);
            } else {
                constant[j] += SOME_AT(a + at), slope[j] += SOME_AT(b + at);
            }
            Some profit = constant[j] + slope[j] * SOME_AT(x + at);
            memcpy(profits + at, &profit, sizeof profit);
            best[j] = GREATER(profit, best[j]);
        }
    memcpy(starts[2], best, sizeof best);
    for (int j = 0; j < PARTS; j++) most = starts[2][j] > most ? starts[2][j] : most;
    return most;
}

HOT static double profits_of(const Row *row, double l, double *profits) {
    return row->rising ? profits_at(row, l, 1, profits) : profits_at(row, l, 0, profits);
}

/* The greatest profit from candidate `first` on. */
static double most_from(const Row *row, const double *profits, Count first) {
    double most = -INFINITY;
    for (Count k = first; k < row->wide; k++) most = fmax(most, profits[row->slots[k]]);
    return most;
}

/* The candidate of the least size from `first` on, of those that are as good as the best; -1 if there is none. */
static Count nearest(const Row *row, const double *profits, const double *h, Count first, double best) {
    Count found = -1;
    for (Count k = first; k < row->wide; k++)
        if (profits[row->slots[k]] >= best - TIE && (found < 0 || fabs(h[k]) < fabs(h[found]))) found = k;
    return found;
}

#endif
