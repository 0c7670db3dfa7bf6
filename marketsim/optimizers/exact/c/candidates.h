/* Where profit may be best: leg_profit.py and candidates.py, for all problems of a batch, which share bars.

   Candidates of a batch are sorted once. Each has a rank, and a problem takes those that its own bars mark. */

#ifndef CANDIDATES_H
#define CANDIDATES_H

#include "leg.h"

static const double FLAT = 1e-9; /* of leg_profit.py */

/* Lines between cells are candidates themselves in problems that place both legs: these take no step beside a line. */
enum { ALWAYS, WITHOUT_LINES, WITH_LINES };

typedef struct {
    double above;       /* of bars that count for more than this */
    int32_t rank, kind;
} Mark;

typedef struct {
    double x;
    int32_t number; /* of its mark */
} Point;

typedef struct {
    double *x; /* [count] increasing, of the batch */
    Count count;
    int32_t *begin; /* [parts] of equal parts of the bounds: how many candidates lie before */
    Count parts;
    double first, scale;
    Mark *marks; /* those of the legs' bars, then those of all problems */
    Point *points;
    Count marked;
    int32_t *of_bar; /* [legs, bars + 1] the first mark of each bar */
    unsigned char *present; /* [count] whether the problem at hand has it */
    int32_t *place;         /* [count + 1] how many of the problem's lie before */
} Candidates;

static void add(Candidates *all, double x, const double *bounds, int kind, double above) {
    if (!isfinite(x)) return;
    all->points[all->marked] = (Point){clipped(x, bounds), (int32_t)all->marked};
    all->marks[all->marked++] = (Mark){above, 0, kind};
}

static void bins_that_matter(const Leg *leg, const double *weight, unsigned char *upper, double *above) {
    Count uppers = leg->uppers, lowers = leg->lowers;
    memset(upper, 0, uppers);
    for (Count q = 0; q < lowers; q++) above[q] = INFINITY;
    for (Count p = 0; p < uppers; p++)
        for (Count q = 0; q < lowers; q++) {
            double here = weight[p * lowers + q], higher = p + 1 < uppers ? weight[(p + 1) * lowers + q] : 0.0;
            upper[p] |= here != higher;
            if (here != (q ? weight[p * lowers + q - 1] : 0.0)) above[q] = 0.0;
        }
}

static void bends_that_matter(const Leg *leg, Count bar, const double *weight, unsigned char *upper, double *above) {
    Count uppers = leg->uppers, lowers = leg->lowers;
    const double *ue = leg->upper_edges + bar * uppers, *le = leg->lower_edges + bar * lowers;
    for (Count p = 0; p < uppers; p++) upper[p] = p == 0 || ue[p] > ue[p - 1];
    above[0] = INFINITY;
    for (Count q = 1; q < lowers; q++) {
        int jump = le[q] == le[q - 1], wide = le[q] > le[q - 1], next = q + 1 < lowers && le[q + 1] > le[q], jumps = 0;
        double dearer = q + 1 < lowers && le[q] == le[lowers - 1] ? leg->per_lower[bar] : 0.0, least = 0.0;
        for (Count p = 0; p < uppers; p++) {
            const double *row = weight + p * lowers;
            double value = leg->gain[bar] + leg->per_upper[bar] * ue[p];
            double before = wide ? (row[q] * value - row[q - 1] * value) / (le[q] - le[q - 1]) : 0.0;
            double after = next ? (row[q + 1] * value - row[q] * value) / (le[q + 1] - le[q]) : 0.0;
            double bend = after - before - dearer;
            jumps |= jump && row[q] != row[q - 1];
            if (wide && q + 1 < lowers && bend < least) least = bend;
        }
        above[q] = jumps ? 0.0 : least < 0.0 ? FLAT / -least : INFINITY;
    }
}

static int meets(double edge, double lowest, double highest) { return edge >= lowest - LEVEL_TIE && edge < highest; }

typedef struct {
    double bounds[2][2]; /* of h and of l */
    double step;
    int touching;
    const double *high_move, *low_move; /* [problems] those of a floor, or NULL without one: execution/floor.py */
    double distance;
} Question;

/* Marks where a bar's profit may be best; `beside` and `lines` say which kinds of candidates there are. */
static void mark(const Leg *leg, Count bar, const Question *asked, int beside, int lines, Candidates *both,
                 unsigned char *matter, double *above) {
    Count uppers = leg->uppers, lowers = leg->lowers;
    const double *ue = leg->upper_edges + bar * uppers, *le = leg->lower_edges + bar * lowers;
    const double *weight = leg->weight + bar * uppers * lowers, *bounds = asked->bounds[leg->mirrored];
    Candidates *of_upper = both + leg->mirrored, *of_lower = both + !leg->mirrored;
    double way = leg->mirrored ? -1.0 : 1.0, move = leg->upper_move[bar], step = asked->step;
    double ends[2] = {clipped(move + way * bounds[leg->mirrored], leg->upper_clip),
                      clipped(move + way * bounds[!leg->mirrored], leg->upper_clip)};
    int aims = 0;
    for (Count i = 0; i < uppers * lowers; i++) aims |= weight[i] != 0.0;
    if (aims && leg->interpolated) bends_that_matter(leg, bar, weight, matter, above);
    else if (aims) bins_that_matter(leg, weight, matter, above);
    for (Count p = 0; aims && p < uppers; p++) {
        int jump = !leg->interpolated || p + 1 == uppers || ue[p + 1] == ue[p];
        if (matter[p] && meets(ue[p], ends[0], ends[1]))
            add(of_upper, way * (ue[p] - move + (jump ? -step : -0.0)), bounds, ALWAYS, 0.0);
    }
    bounds = asked->bounds[!leg->mirrored], move = leg->lower_move[bar];
    ends[0] = clipped(move + way * bounds[leg->mirrored], leg->lower_clip);
    ends[1] = clipped(move + way * bounds[!leg->mirrored], leg->lower_clip);
    for (Count q = aims ? 0 : lowers; q <= lowers; q++) {
        double edge = q < lowers ? le[q] : leg->low[bar], least = q < lowers ? above[q] : 0.0;
        int live = q < lowers ? least < INFINITY && edge != leg->low[bar] : leg->per_lower[bar] != 0.0;
        if (!live || !meets(edge, ends[0], ends[1])) continue;
        int jump = q == lowers || !leg->interpolated || q == 0 || le[q] == le[q - 1];
        add(of_lower, way * (jump ? edge - move + step : edge - move), bounds, ALWAYS, least);
        if (jump && beside) add(of_lower, way * (edge - move - step), bounds, WITHOUT_LINES, least);
        if (jump && lines) add(of_lower, way * (edge - move), bounds, WITH_LINES, least);
    }
}

/* Merge sort from short runs; `spare` has room for all. */
static void sorted(Point *x, Count n, Point *spare) {
    enum { RUN = 6 };
    for (Count first = 0; first < n; first += RUN) {
        Count last = first + RUN < n ? first + RUN : n;
        for (Count i = first + 1; i < last; i++) {
            Point it = x[i];
            Count j = i;
            for (; j > first && x[j - 1].x > it.x; j--) x[j] = x[j - 1];
            x[j] = it;
        }
    }
    Point *from = x, *to = spare;
    for (Count width = RUN; width < n; width *= 2) {
        for (Count first = 0; first < n; first += 2 * width) {
            Count i = first, middle = first + width < n ? first + width : n;
            Count j = middle, last = middle + width < n ? middle + width : n;
            Count k = first;
            while (i < middle && j < last) { /* without a branch: which is less is anybody's guess */
                int less = from[i].x <= from[j].x;
                to[k++] = from[less ? i : j];
                i += less, j += !less;
            }
            memcpy(to + k, from + i, (size_t)(middle - i) * sizeof *to);
            k += middle - i;
            memcpy(to + k, from + j, (size_t)(last - j) * sizeof *to);
        }
        Point *other = from;
        from = to, to = other;
    }
    if (from != x) memcpy(x, from, (size_t)n * sizeof *x);
}

/* Ranks all that is marked. */
static void rank(Candidates *all, const double *bounds, Point *spare) {
    Count kept = 0, k = 0;
    sorted(all->points, all->marked, spare);
    for (Count i = 0; i < all->marked; i++) {
        if (!kept || all->points[i].x != all->x[kept - 1]) all->x[kept++] = all->points[i].x;
        all->marks[all->points[i].number].rank = (int32_t)kept - 1;
    }
    all->count = kept;
    memset(all->present, 0, (size_t)kept);
    for (all->parts = 1; all->parts < kept; all->parts *= 2) continue;
    all->first = bounds[0];
    all->scale = bounds[1] > bounds[0] ? (double)all->parts / (bounds[1] - bounds[0]) : 0.0;
    for (Count part = 0; part < all->parts; part++) {
        while (k < kept && (all->x[k] - all->first) * all->scale < (double)part) k++;
        all->begin[part] = (int32_t)k;
    }
}

/* The rank of the first candidate at which `clipped(move + way * x) - tie` has come to be above an edge, for `way` 1,
   or has ceased to be, for -1. */
static Count meeting(const Candidates *all, double move, double way, const double *clip, double edge, double tie) {
    double part = (way * (edge + tie - move) - all->first) * all->scale;
    Count k = all->begin[part > 0.0 ? (part < (double)all->parts ? (Count)part : all->parts - 1) : 0];
    int above = way > 0.0;
    while (k < all->count && (clipped(move + way * all->x[k], clip) - tie > edge) != above) k++;
    while (k > 0 && (clipped(move + way * all->x[k - 1], clip) - tie > edge) == above) k--;
    return k;
}

static const double EVERYWHERE[2] = {-INFINITY, INFINITY};

/* The candidates that a problem has, into `x`; returns how many. */
static Count chosen(Candidates *all, double *x) {
    int32_t k = 0;
    for (Count i = 0; i < all->count; i++) {
        all->place[i] = k;
        x[k] = all->x[i];
        k += all->present[i];
        all->present[i] = 0;
    }
    all->place[all->count] = k;
    return k;
}

#endif
