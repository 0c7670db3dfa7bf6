/* A leg as execution/profit_terms.py has it, and the profit of a candidate as execution/evaluation.py computes it.

   "Own" coordinates are the leg's, in which a short is a long. No multiplication is fused with an addition
   (-ffp-contract=off), so that profits are those of numpy to the last bit. */

#ifndef LEG_H
#define LEG_H

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef Py_ssize_t Count;

static const double TIE = 1e-12, LEVEL_TIE = 1e-13; /* of profit_terms.py */

/* Hot loops are compiled for wide registers too; which are there is found out where the code runs. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__) && !defined(ONE_TARGET)
#define HOT __attribute__((target_clones("avx2", "default")))
#else
#define HOT
#endif

typedef struct {
    int mirrored, interpolated;
    double upper_clip[2], lower_clip[2];
    const double *upper_move, *lower_move, *low, *open, *at_level, *per_lower, *gain, *per_upper; /* [bars] */
    const double *upper_edges, *lower_edges, *weight; /* [bars, uppers], [bars, lowers], [bars, uppers, lowers] */
    Count bars, uppers, lowers;
} Leg;

static inline double clipped(double x, const double *ends) {
    x = x < ends[0] ? ends[0] : x;
    return x > ends[1] ? ends[1] : x;
}

static inline double share(double x, double start, double end) {
    double part;
    if (!(end > start)) return 1.0;
    part = (x - start) / (end - start);
    return part < 0.0 ? 0.0 : part > 1.0 ? 1.0 : part;
}

static Count passed(const double *edges, Count count, double level) {
    Count below = 0;
    for (Count i = 0; i < count; i++) below += edges[i] < level;
    return below;
}

static double taken(const Leg *leg, Count bar, double size, double u, double d) {
    Count uppers = leg->uppers, lowers = leg->lowers;
    const double *upper = leg->upper_edges + bar * uppers, *lower = leg->lower_edges + bar * lowers;
    const double *weight = leg->weight + bar * uppers * lowers;
    double gain = leg->gain[bar] * size, per_upper = leg->per_upper[bar] * size, at[2];
    Count p = passed(upper, uppers, u - LEVEL_TIE), q = passed(lower, lowers, d - LEVEL_TIE);
    if (p >= uppers || q == 0) return 0.0;
    if (!leg->interpolated) return weight[p * lowers + q - 1] * (gain + per_upper * u);
    Count edge[2] = {p ? p - 1 : 0, p}, before = q - 1, after = q < lowers ? q : lowers - 1;
    double along = share(d, lower[before], lower[after]);
    for (int i = 0; i < 2; i++) {
        const double *row = weight + edge[i] * lowers;
        double level = p ? upper[edge[i]] : u; /* the first edge holds for all levels below it */
        at[i] = (row[before] + along * (row[after] - row[before])) * (gain + per_upper * level);
    }
    return at[0] + share(u, upper[edge[0]], upper[edge[1]]) * (at[1] - at[0]);
}

static double earned(const Leg *leg, Count bar, double size, double h, double l) {
    double u = clipped(leg->upper_move[bar] + (leg->mirrored ? -l : h), leg->upper_clip);
    double d = clipped(leg->lower_move[bar] + (leg->mirrored ? -h : l), leg->lower_clip);
    double open = leg->open[bar];
    double entry = leg->at_level[bar] * size + leg->per_lower[bar] * size * (d < open ? d : open);
    return taken(leg, bar, size, u, d) + (d - LEVEL_TIE > leg->low[bar] ? entry : 0.0);
}

/* The sum of bars in the order in which numpy sums a row. */
static double pairwise(const double *x, Count n) {
    if (n < 8) {
        double sum = -0.0;
        for (Count i = 0; i < n; i++) sum += x[i];
        return sum;
    }
    if (n <= 128) {
        double part[8];
        Count i = 8;
        memcpy(part, x, sizeof part);
        for (; i < n - n % 8; i += 8)
            for (int j = 0; j < 8; j++) part[j] += x[i + j];
        double sum = ((part[0] + part[1]) + (part[2] + part[3])) + ((part[4] + part[5]) + (part[6] + part[7]));
        for (; i < n; i++) sum += x[i];
        return sum;
    }
    Count half = n / 2 - (n / 2) % 8;
    return pairwise(x, half) + pairwise(x + half, n - half);
}

typedef struct {
    const Leg *legs;
    int count;
    const int64_t *rows;  /* [problems, window], or NULL: bars are those of the problems, one after the other */
    const double *sizes;  /* [window] how much a bar counts by its place in the window, or NULL: 1 */
    Count problems, window;
} Terms;

static inline Count bar_of(const Terms *terms, Count problem, Count place) {
    Count at = problem * terms->window + place;
    return terms->rows ? (Count)terms->rows[at] : at;
}

static inline double size_of(const Terms *terms, Count place) { return terms->sizes ? terms->sizes[place] : 1.0; }

static double profit_of(const Terms *terms, Count problem, double h, double l, double *scratch) {
    double sum = 0.0;
    for (int i = 0; i < terms->count; i++) {
        for (Count w = 0; w < terms->window; w++)
            scratch[w] = earned(terms->legs + i, bar_of(terms, problem, w), size_of(terms, w), h, l);
        sum += pairwise(scratch, terms->window);
    }
    return sum;
}

#endif
