/* Where profit may be best: leg_profit.py, candidates.py and entry_profit.py, for one problem after the other. */

#ifndef CANDIDATES_H
#define CANDIDATES_H

#include "leg.h"

static const double FLAT = 1e-9; /* of leg_profit.py */

typedef struct {
    double *upper, *lower;    /* [bars, uppers], [bars, lowers + 1] own multipliers at which levels meet edges */
    unsigned char *jumps;     /* as `lower`: whether profit may jump there */
    Count *uppers, *lowers;   /* [bars] how many there are */
    unsigned char *aims;      /* [bars] whether any take-profit is credited */
} Ends;

static void bins_that_matter(const Leg *leg, const double *weight, unsigned char *upper, unsigned char *lower) {
    Count uppers = leg->uppers, lowers = leg->lowers;
    memset(upper, 0, uppers);
    memset(lower, 0, lowers);
    for (Count p = 0; p < uppers; p++)
        for (Count q = 0; q < lowers; q++) {
            double here = weight[p * lowers + q], above = p + 1 < uppers ? weight[(p + 1) * lowers + q] : 0.0;
            upper[p] |= here != above;
            lower[q] |= here != (q ? weight[p * lowers + q - 1] : 0.0);
        }
}

static void bends_that_matter(const Leg *leg, Count bar, const double *weight, unsigned char *upper,
                              unsigned char *peaks) {
    Count uppers = leg->uppers, lowers = leg->lowers;
    const double *ue = leg->upper_edges + bar * uppers, *le = leg->lower_edges + bar * lowers;
    for (Count p = 0; p < uppers; p++) upper[p] = p == 0 || ue[p] > ue[p - 1];
    memset(peaks, 0, lowers);
    for (Count q = 1; q < lowers; q++) {
        int jump = le[q] == le[q - 1], wide = le[q] > le[q - 1], next = q + 1 < lowers && le[q + 1] > le[q];
        double dearer = q + 1 < lowers && le[q] == le[lowers - 1] ? leg->per_lower[bar] : 0.0;
        for (Count p = 0; p < uppers && !peaks[q]; p++) {
            const double *row = weight + p * lowers;
            double value = leg->gain[bar] + leg->per_upper[bar] * ue[p];
            double before = wide ? (row[q] * value - row[q - 1] * value) / (le[q] - le[q - 1]) : 0.0;
            double after = next ? (row[q + 1] * value - row[q] * value) / (le[q + 1] - le[q]) : 0.0;
            peaks[q] = jump ? row[q] != row[q - 1] : wide && q + 1 < lowers && after - before - dearer < -FLAT;
        }
    }
}

static int meets(double edge, double lowest, double highest) { return edge >= lowest - LEVEL_TIE && edge < highest; }

/* `bounds` are those of the leg's own upper and lower multiplier; `matter` has room for both kinds of edges. */
static void ends_of(const Leg *leg, Count bar, const double (*bounds)[2], double step, Ends *ends,
                    unsigned char *matter) {
    Count uppers = leg->uppers, lowers = leg->lowers, n = 0;
    const double *ue = leg->upper_edges + bar * uppers, *le = leg->lower_edges + bar * lowers;
    const double *weight = leg->weight + bar * uppers * lowers;
    double *found = ends->upper + bar * uppers, move = leg->upper_move[bar];
    double lowest = clipped(move + bounds[0][0], leg->upper_clip), highest = clipped(move + bounds[0][1], leg->upper_clip);
    unsigned char aims = 0, *peaks = matter + uppers;
    for (Count i = 0; i < uppers * lowers; i++) aims |= weight[i] != 0.0;
    ends->aims[bar] = aims;
    if (!aims)
        memset(matter, 0, uppers + lowers);
    else if (leg->interpolated)
        bends_that_matter(leg, bar, weight, matter, peaks);
    else
        bins_that_matter(leg, weight, matter, peaks);
    for (Count p = 0; p < uppers; p++) {
        int jump = !leg->interpolated || p + 1 == uppers || ue[p + 1] == ue[p];
        if (matter[p] && meets(ue[p], lowest, highest)) found[n++] = ue[p] - move + (jump ? -step : -0.0);
    }
    ends->uppers[bar] = n;
    move = leg->lower_move[bar];
    lowest = clipped(move + bounds[1][0], leg->lower_clip), highest = clipped(move + bounds[1][1], leg->lower_clip);
    found = ends->lower + bar * (lowers + 1), n = 0;
    unsigned char *jumps = ends->jumps + bar * (lowers + 1);
    for (Count q = 0; q <= lowers; q++) {
        double edge = q < lowers ? le[q] : leg->low[bar];
        int live = q < lowers ? peaks[q] && edge != leg->low[bar] : leg->per_lower[bar] != 0.0;
        if (!live || !meets(edge, lowest, highest)) continue;
        jumps[n] = q == lowers || !leg->interpolated || q == 0 || le[q] == le[q - 1];
        found[n++] = edge - move;
    }
    ends->lowers[bar] = n;
}

typedef struct {
    double *x; /* increasing */
    Count count;
    int32_t *begin; /* of equal parts of the bounds: how many candidates lie before */
    Count parts;
    double first, scale;
} Candidates;

static void add(Candidates *all, double x, const double *bounds) {
    if (isfinite(x)) all->x[all->count++] = clipped(x, bounds);
}

/* Merge sort from short runs; `spare` has room for all. */
static void sorted(double *x, Count n, double *spare) {
    enum { RUN = 6 };
    for (Count first = 0; first < n; first += RUN) {
        Count last = first + RUN < n ? first + RUN : n;
        for (Count i = first + 1; i < last; i++) {
            double it = x[i];
            Count j = i;
            for (; j > first && x[j - 1] > it; j--) x[j] = x[j - 1];
            x[j] = it;
        }
    }
    double *from = x, *to = spare;
    for (Count width = RUN; width < n; width *= 2) {
        for (Count first = 0; first < n; first += 2 * width) {
            Count i = first, middle = first + width < n ? first + width : n;
            Count j = middle, last = middle + width < n ? middle + width : n;
            Count k = first;
            while (i < middle && j < last) { /* without a branch: which is less is anybody's guess */
                double left = from[i], right = from[j];
                int less = left <= right;
                to[k++] = less ? left : right;
                i += less, j += !less;
            }
            memcpy(to + k, from + i, (size_t)(middle - i) * sizeof *to);
            k += middle - i;
            memcpy(to + k, from + j, (size_t)(last - j) * sizeof *to);
        }
        double *other = from;
        from = to, to = other;
    }
    if (from != x) memcpy(x, from, n * sizeof *x);
}

static void finish(Candidates *all, const double *bounds, double *spare) {
    Count kept = 0, k = 0;
    sorted(all->x, all->count, spare);
    for (Count i = 0; i < all->count; i++)
        if (!kept || all->x[i] != all->x[kept - 1]) all->x[kept++] = all->x[i];
    all->count = kept;
    for (all->parts = 1; all->parts < kept; all->parts *= 2) continue;
    all->first = bounds[0];
    all->scale = bounds[1] > bounds[0] ? (double)all->parts / (bounds[1] - bounds[0]) : 0.0;
    for (Count part = 0; part < all->parts; part++) {
        while (k < kept && (all->x[k] - all->first) * all->scale < (double)part) k++;
        all->begin[part] = (int32_t)k;
    }
}

/* How many candidates lie before the place where `clipped(move + way * x) - tie` comes to be above an edge, for `way` 1,
   or ceases to be, for -1. */
static Count meeting(const Candidates *all, double move, double way, const double *clip, double edge, double tie) {
    double part = (way * (edge + tie - move) - all->first) * all->scale;
    Count k = all->begin[part > 0.0 ? (part < (double)all->parts ? (Count)part : all->parts - 1) : 0];
    int above = way > 0.0;
    while (k < all->count && (clipped(move + way * all->x[k], clip) - tie > edge) != above) k++;
    while (k > 0 && (clipped(move + way * all->x[k - 1], clip) - tie > edge) == above) k--;
    return k;
}

static const double EVERYWHERE[2] = {-INFINITY, INFINITY};

/* Adds a line to candidates `from` to `to`, as changes where it begins and ends. */
static void span(double *offset, double *slope, Count from, Count to, double at_zero, double rise) {
    if (from >= to) return;
    offset[from] += at_zero, offset[to] -= at_zero;
    slope[from] += rise, slope[to] -= rise;
}

/* What a leg's entries earn at every candidate of its lower multiplier; `scratch` has room for twice one more. */
static void entries(const Leg *leg, const Terms *terms, Count problem, const Candidates *all, double *total,
                    double *scratch) {
    Count n = all->count;
    double *offset = scratch, *slope = scratch + n + 1, way = leg->mirrored ? -1.0 : 1.0, at_zero = 0.0, rise = 0.0;
    memset(scratch, 0, 2 * (size_t)(n + 1) * sizeof *scratch);
    for (Count w = 0; w < terms->window; w++) {
        Count bar = bar_of(terms, problem, w);
        double slant = leg->per_lower[bar], fixed = leg->at_level[bar], move = leg->lower_move[bar];
        if (slant == 0.0) continue;
        double top = leg->open[bar] < leg->lower_clip[1] ? leg->open[bar] : leg->lower_clip[1];
        double floor = leg->lower_clip[0] < top ? leg->lower_clip[0] : top;
        Count filled = meeting(all, move, way, leg->lower_clip, leg->low[bar], LEVEL_TIE);
        Count low = meeting(all, move, way, EVERYWHERE, floor, 0.0), high = meeting(all, move, way, EVERYWHERE, top, 0.0);
        if (leg->mirrored) {
            span(offset, slope, 0, high < filled ? high : filled, fixed + slant * top, 0.0);
            span(offset, slope, high, low < filled ? low : filled, fixed + slant * move, -slant);
            span(offset, slope, low, filled, fixed + slant * floor, 0.0);
        } else {
            span(offset, slope, filled, low, fixed + slant * floor, 0.0);
            span(offset, slope, filled > low ? filled : low, high, fixed + slant * move, slant);
            span(offset, slope, filled > high ? filled : high, n, fixed + slant * top, 0.0);
        }
    }
    for (Count k = 0; k < n; k++) {
        at_zero += offset[k], rise += slope[k];
        total[k] = at_zero + rise * all->x[k];
    }
}

#endif
