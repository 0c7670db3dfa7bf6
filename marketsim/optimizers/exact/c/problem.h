/* The exact maximum of maximum.py, one problem after the other. */

#ifndef PROBLEM_H
#define PROBLEM_H

#include "row.h"

static const double UPPER_CLIP[2] = {0.0, 10.0}, LOWER_CLIP[2] = {-1.0, 0.0}; /* of profit_terms.py */

typedef struct {
    double bounds[2][2]; /* of h and of l */
    double step;
    int touching;
    const double *high_move, *low_move; /* [problems] those of a floor, or NULL without one: execution/floor.py */
    double distance;
} Question;

/* Whether the levels of the bar to be traded keep their distance: what does so still does with a higher h. */
static int allowed(const Question *asked, Count problem, double h, double l) {
    double u = clipped(asked->high_move[problem] + h, UPPER_CLIP), d = clipped(asked->low_move[problem] + l, LOWER_CLIP);
    return u - d >= asked->distance - LEVEL_TIE;
}

static void gather(Work *work, const Terms *terms, Count problem, const Ends *ends, const Question *asked) {
    int placed[2] = {0, 0}, interpolated = 0;
    for (int i = 0; i < terms->count; i++) {
        interpolated |= terms->legs[i].interpolated;
        for (Count w = 0; w < terms->window; w++)
            placed[i] |= terms->legs[i].per_lower[bar_of(terms, problem, w)] != 0.0;
    }
    int lines = asked->touching && placed[0] && placed[1], more = lines || interpolated;
    double other = lines ? 0.0 : -asked->step;
    work->h.count = work->l.count = 0;
    for (int i = 0; i < terms->count; i++) {
        const Leg *leg = terms->legs + i;
        Candidates *of_upper = leg->mirrored ? &work->l : &work->h, *of_lower = leg->mirrored ? &work->h : &work->l;
        const double *upper_bounds = asked->bounds[leg->mirrored], *lower_bounds = asked->bounds[!leg->mirrored];
        double way = leg->mirrored ? -1.0 : 1.0;
        for (Count w = 0; w < terms->window; w++) {
            Count bar = bar_of(terms, problem, w);
            const double *upper = ends[i].upper + bar * leg->uppers, *lower = ends[i].lower + bar * (leg->lowers + 1);
            const unsigned char *jumps = ends[i].jumps + bar * (leg->lowers + 1);
            for (Count k = 0; k < ends[i].uppers[bar]; k++) add(of_upper, way * upper[k], upper_bounds);
            for (Count k = 0; k < ends[i].lowers[bar]; k++) {
                add(of_lower, way * (jumps[k] ? lower[k] + asked->step : lower[k]), lower_bounds);
                if (more && jumps[k]) add(of_lower, way * (lower[k] + other), lower_bounds);
            }
        }
    }
    for (int i = 0; i < 2; i++) {
        Candidates *all = i ? &work->l : &work->h;
        const double *bounds = asked->bounds[i];
        if (interpolated || i == 1) add(all, bounds[0], bounds);
        if (interpolated || i == 0) add(all, bounds[1], bounds);
        add(all, 0.0, bounds);
        if (asked->high_move) /* from where, or up to where, the other multiplier is free */
            add(all, i ? -asked->distance - asked->low_move[problem] : asked->distance - asked->high_move[problem], bounds);
        finish(all, bounds, work->scratch);
    }
}

static void solve(Work *work, const Terms *terms, Count problem, const Ends *ends, const Question *asked, double *found) {
    gather(work, terms, problem, ends, asked);
    Count wide = work->h.count, rows = work->l.count, near = -1, best_row = -1, first = 0;
    double most_of_all = -INFINITY, of_row = 0.0, least = INFINITY;
    int changed = 1, rising = 0;
    memset(work->row, 0, (size_t)wide * sizeof(double));
    memset(work->slopes, 0, (size_t)wide * sizeof(double));
    memset(work->by_l, 0, (size_t)rows * sizeof(double));
    for (Count r = 0; r < rows; r++) work->at[r] = -1;
    work->count = 0;
    for (int i = 0; i < terms->count; i++) {
        const Leg *leg = terms->legs + i;
        entries(leg, terms, problem, leg->mirrored ? &work->h : &work->l, leg->mirrored ? work->row : work->by_l,
                work->scratch);
        for (Count w = 0; w < terms->window; w++) {
            Count bar = bar_of(terms, problem, w);
            if (!ends[i].aims[bar]) continue;
            place(work, leg, bar);
            rising |= leg->mirrored || leg->interpolated;
        }
    }
    for (Count r = 0; r < rows; r++) {
        for (Count number = work->at[r], next; number >= 0; number = next) {
            next = work->bars[number].next;
            change(work, number, r);
            changed = 1;
        }
        while (asked->high_move && first < wide && !allowed(asked, problem, work->h.x[first], work->l.x[r]))
            first++, changed = 1;
        if (changed || rising)
            of_row = most(work->row + first, rising ? work->slopes + first : NULL, wide - first, work->l.x[r]), near = -1;
        changed = 0;
        work->best[r] = of_row + work->by_l[r];
        work->where[r] = -1;
        if (!(work->best[r] >= most_of_all - TIE)) continue;
        if (near < 0) near = nearest(work, first, wide, work->l.x[r], of_row);
        work->where[r] = near;
        most_of_all = work->best[r] > most_of_all ? work->best[r] : most_of_all;
    }
    for (Count r = 0; r < rows; r++) {
        if (work->where[r] < 0 || !(work->best[r] >= most_of_all - TIE)) continue;
        double size = fabs(work->h.x[work->where[r]]) + fabs(work->l.x[r]);
        if (size < least) least = size, best_row = r;
    }
    found[0] = best_row < 0 ? clipped(0.0, asked->bounds[0]) : work->h.x[work->where[best_row]];
    found[1] = best_row < 0 ? clipped(0.0, asked->bounds[1]) : work->l.x[best_row];
    found[2] = profit_of(terms, problem, found[0], found[1], work->scratch);
}

/* Memory for all that follows, aligned for any of it; sizes are counted first, then places are handed out. */
typedef struct {
    char *memory;
    size_t used;
} Arena;

static void *take(Arena *arena, size_t count, size_t size) {
    void *place = arena->memory ? arena->memory + arena->used : NULL;
    arena->used += (count * size + 63) / 64 * 64;
    return place;
}

static void lay_out(Arena *arena, Work *work, Ends *ends, unsigned char **matter, const Terms *terms) {
    size_t window = (size_t)terms->window, width = 3, edges = 1, bars = window * (size_t)terms->count;
    for (int i = 0; i < terms->count; i++) {
        const Leg *leg = terms->legs + i;
        size_t n = (size_t)leg->bars, uppers = (size_t)leg->uppers, lowers = (size_t)leg->lowers;
        size_t most_edges = uppers > lowers ? uppers : lowers;
        edges = most_edges > edges ? most_edges : edges;
        width += window * (uppers > 2 * (lowers + 1) ? uppers : 2 * (lowers + 1));
        ends[i].upper = take(arena, n * uppers, sizeof(double));
        ends[i].lower = take(arena, n * (lowers + 1), sizeof(double));
        ends[i].jumps = take(arena, n * (lowers + 1), 1);
        ends[i].uppers = take(arena, n, sizeof(Count));
        ends[i].lowers = take(arena, n, sizeof(Count));
        ends[i].aims = take(arena, n, 1);
    }
    for (int i = 0; i < 2; i++) {
        Candidates *all = i ? &work->l : &work->h;
        all->x = take(arena, width, sizeof(double));
        all->begin = take(arena, 2 * width, sizeof(int32_t));
    }
    work->edges = (Count)edges;
    work->row = take(arena, width, sizeof(double)), work->slopes = take(arena, width, sizeof(double));
    work->by_l = take(arena, width, sizeof(double)), work->best = take(arena, width, sizeof(double));
    work->where = take(arena, width, sizeof(Count)), work->at = take(arena, width, sizeof(Count));
    work->scratch = take(arena, 2 * (width + 1) + window, sizeof(double));
    work->bars = take(arena, bars, sizeof(Bar));
    work->nodes = take(arena, edges, sizeof(double)), work->rates = take(arena, edges, sizeof(double));
    work->lines = take(arena, bars * 2 * edges, sizeof(Line));
    work->places = take(arena, bars * 2 * edges, sizeof(int32_t));
    *matter = take(arena, 2 * edges, 1);
}

/* Fills `found` [3, problems]; 0, or -1 without memory. */
static int solve_all(const Terms *terms, const Question *asked, double *found) {
    Arena arena = {NULL, 0};
    Work work;
    Ends ends[2];
    unsigned char *matter;
    lay_out(&arena, &work, ends, &matter, terms);
    if (!(arena.memory = malloc(arena.used))) return -1;
    arena.used = 0;
    lay_out(&arena, &work, ends, &matter, terms);
    for (int i = 0; i < terms->count; i++) {
        const Leg *leg = terms->legs + i;
        double bounds[2][2];
        for (int lower = 0; lower < 2; lower++) { /* own ones: in the mirror of the other multiplier, and turned */
            const double *from = asked->bounds[lower ^ leg->mirrored];
            bounds[lower][0] = leg->mirrored ? -from[1] : from[0], bounds[lower][1] = leg->mirrored ? -from[0] : from[1];
        }
        for (Count bar = 0; bar < leg->bars; bar++)
            ends_of(leg, bar, (const double(*)[2])bounds, asked->step, ends + i, matter);
    }
    for (Count problem = 0; problem < terms->problems; problem++) {
        double answer[3];
        solve(&work, terms, problem, ends, asked, answer);
        for (int i = 0; i < 3; i++) found[i * terms->problems + problem] = answer[i];
    }
    free(arena.memory);
    return 0;
}

#endif
