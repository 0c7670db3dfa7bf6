/* The exact maximum of maximum.py, one problem after the other. */

#ifndef PROBLEM_H
#define PROBLEM_H

#include "row.h"

static const double UPPER_CLIP[2] = {0.0, 10.0}, LOWER_CLIP[2] = {-1.0, 0.0}; /* of profit_terms.py */

/* A bar of the problem at hand. */
typedef struct {
    const Leg *leg;
    const Bar *bar;
    Count number; /* of the bar in the leg's arrays */
    double size;
    Count done, next; /* changes so far, and the next bar that changes at the same row, or -1 */
} Traded;

typedef struct {
    Candidates both[2];  /* of h and of l, of the batch */
    Count bars;          /* how many the batch has, and may have */
    Bar *of_leg[2];      /* [bars] */
    int32_t *numbers;    /* [bars] in the legs' arrays */
    int32_t *here;       /* [all bars] which of the batch a bar is, or -1; NULL where no two problems share bars */
    Changes changes;
    double *h, *l;       /* candidates of the problem */
    Row row;
    double *profits[2];  /* of two rows */
    double *by_l;        /* [l] what the entries of a long earn */
    double *scratch;
    Traded *traded;
    Count *at;           /* [l] the first bar that changes at a row, or -1 */
    Count *rows, *near;  /* of rows that may be best: the best candidate h */
    double *best;
} Work;

/* Whether the levels of the bar to be traded keep their distance: what does so still does with a higher h. */
static int allowed(const Question *asked, Count problem, double h, double l) {
    double u = clipped(asked->high_move[problem] + h, UPPER_CLIP), d = clipped(asked->low_move[problem] + l, LOWER_CLIP);
    return u - d >= asked->distance - LEVEL_TIE;
}

/* Adds a line to candidates `from` to `to`, as changes where it begins and ends. */
static void span(double *offset, double *slope, Count from, Count to, double at_zero, double rise) {
    if (from >= to) return;
    offset[from] += at_zero, offset[to] -= at_zero;
    slope[from] += rise, slope[to] -= rise;
}

/* Adds what the entry of a bar earns, along rows for a long and along candidates h for a short. */
static void enter(Work *work, const Traded *it) {
    const Leg *leg = it->leg;
    double slant = leg->per_lower[it->number] * it->size, fixed = leg->at_level[it->number] * it->size;
    double move = leg->lower_move[it->number], open = leg->open[it->number];
    double top = open < leg->lower_clip[1] ? open : leg->lower_clip[1];
    double floor = leg->lower_clip[0] < top ? leg->lower_clip[0] : top;
    const int32_t *place = work->both[!leg->mirrored].place;
    Count filled = place[it->bar->filled], low = place[it->bar->low], high = place[it->bar->high];
    if (!leg->mirrored) {
        double *offset = work->scratch, *slope = offset + work->both[1].count + 1;
        span(offset, slope, filled, low, fixed + slant * floor, 0.0);
        span(offset, slope, filled > low ? filled : low, high, fixed + slant * move, slant);
        span(offset, slope, filled > high ? filled : high, place[work->both[1].count], fixed + slant * top, 0.0);
        return;
    }
    Count ends[4] = {0, high < filled ? high : filled, low < filled ? low : filled, filled};
    Surface parts[3] = {{fixed + slant * top, 0.0, 0.0, 0.0},
                        {fixed + slant * move, -slant, 0.0, 0.0},
                        {fixed + slant * floor, 0.0, 0.0, 0.0}};
    for (int i = 0; i < 3; i++) {
        if (ends[i] >= ends[i + 1]) continue;
        change(&work->row, work->row.slots[ends[i]], parts + i, 1.0);
        change(&work->row, work->row.slots[ends[i + 1]], parts + i, -1.0);
    }
}

/* The bars of a problem, and the candidates that they mark; returns how many bars there are. */
static Count bars_of(Work *work, const Terms *terms, Count problem, const Question *asked) {
    Count count = 0;
    int placed[2] = {0, 0};
    for (int i = 0; i < terms->count; i++)
        for (Count w = 0; w < terms->window; w++) {
            Count number = bar_of(terms, problem, w), here = work->here ? work->here[number] : w;
            double size = size_of(terms, w);
            const Bar *bar = work->of_leg[i] + here;
            if (size == 0.0 || (!bar->placed && !bar->changes)) continue;
            work->traded[count++] = (Traded){terms->legs + i, bar, number, size, 0, -1};
            placed[i] |= bar->placed;
        }
    int other = asked->touching && placed[0] && placed[1] ? WITH_LINES : WITHOUT_LINES;
    for (int i = 0; i < 2; i++) {
        Candidates *all = work->both + i;
        for (Count n = 0; n < count; n++) {
            Count leg = work->traded[n].leg - terms->legs, at = leg * (work->bars + 1) + (work->traded[n].bar - work->of_leg[leg]);
            for (int32_t m = all->of_bar[at]; m < all->of_bar[at + 1]; m++) {
                const Mark *mark = all->marks + m;
                if ((mark->kind == ALWAYS || mark->kind == other) && work->traded[n].size > mark->above)
                    all->present[mark->rank] = 1;
            }
        }
        for (Count m = all->of_bar[terms->count * (work->bars + 1) - 1]; m < all->marked; m++)
            all->present[all->marks[m].rank] = 1;
    }
    return count;
}

static int32_t *ranks_of(const Work *work, const Bar *bar) {
    return (int32_t *)((char *)work->changes.ranks.memory + bar->ranks);
}

/* Books a bar for the row of its next change. */
static void schedule(Work *work, Count number, Count rows) {
    Traded *it = work->traded + number;
    if (it->done == it->bar->changes) return;
    Count row = work->both[1].place[ranks_of(work, it->bar)[it->done]];
    if (row >= rows) return;
    it->next = work->at[row];
    work->at[row] = number;
}

/* Makes all changes of a bar up to a row. */
static void advance(Work *work, Count number, Count row, Count rows) {
    Traded *it = work->traded + number;
    const Bar *bar = it->bar;
    const int32_t *ranks = ranks_of(work, bar), *ends = ranks + bar->changes;
    const Surface *surfaces = (const Surface *)((char *)work->changes.surfaces.memory + bar->surfaces);
    const int32_t *along = work->both[0].place, *across = work->both[1].place;
    for (; it->done < bar->changes && across[ranks[it->done]] <= row; it->done++)
        for (Count j = 0; j < bar->ends; j++)
            change(&work->row, work->row.slots[along[ends[j]]], surfaces + it->done * bar->ends + j, it->size);
    schedule(work, number, rows);
}

typedef struct {
    Count row, first;     /* the first candidate h that a floor allows */
    double best, of_row;  /* with and without the entries of longs */
    const double *profits;
} Found;

/* Notes where the best of a row is. */
static Count note(Work *work, const Found *found, Count noted) {
    Count near = nearest(&work->row, found->profits, work->h, found->first, found->of_row);
    if (near < 0) return noted;
    work->rows[noted] = found->row, work->near[noted] = near, work->best[noted] = found->best;
    return noted + 1;
}

/* Goes through all rows; returns how many are noted that may have the best candidate, and the greatest profit. */
static Count search(Work *work, Count problem, const Question *asked, Count rows, double *most) {
    Row *row = &work->row;
    Found last = {-1, 0, -INFINITY, 0.0, NULL}, here = last; /* the last row that may be best is noted when it is sure */
    int changed = 1;
    Count noted = 0;
    *most = -INFINITY;
    for (here.row = 0; here.row < rows; here.row++) {
        double l = work->l[here.row];
        for (Count number = work->at[here.row], next; number >= 0; number = next) {
            next = work->traded[number].next;
            advance(work, number, here.row, rows);
            changed = 1;
        }
        while (asked->high_move && here.first < row->wide && !allowed(asked, problem, work->h[here.first], l))
            here.first++, changed = 1;
        if (changed || row->rising) {
            double *profits = work->profits[last.profits == work->profits[0]];
            here.of_row = profits_of(row, l, profits), here.profits = profits;
            if (here.first) here.of_row = most_from(row, profits, here.first);
        }
        changed = 0;
        here.best = here.of_row + work->by_l[here.row];
        if (!(here.best >= *most - TIE)) continue;
        if (last.row >= 0 && last.best >= here.best - TIE) noted = note(work, &last, noted);
        last = here;
        *most = here.best > *most ? here.best : *most;
    }
    return last.row >= 0 ? note(work, &last, noted) : noted;
}

static void solve(Work *work, const Terms *terms, Count problem, const Question *asked, double *found) {
    Count bars = bars_of(work, terms, problem, asked), noted, best = -1;
    Count wide = chosen(work->both, work->h), rows = chosen(work->both + 1, work->l);
    double *offset = work->scratch, *slope = offset + work->both[1].count + 1, at_zero = 0.0, rise = 0.0, most, least = INFINITY;
    start_row(&work->row, work->h, wide);
    memset(offset, 0, 2 * (size_t)(work->both[1].count + 1) * sizeof *offset);
    for (Count r = 0; r < rows; r++) work->at[r] = -1;
    for (Count n = 0; n < bars; n++) {
        const Traded *it = work->traded + n;
        work->row.rising |= it->bar->changes && (it->leg->mirrored || it->leg->interpolated);
        if (it->bar->placed) enter(work, it);
        schedule(work, n, rows);
    }
    for (Count r = 0; r < rows; r++) {
        at_zero += offset[r], rise += slope[r];
        work->by_l[r] = at_zero + rise * work->l[r];
    }
    noted = search(work, problem, asked, rows, &most);
    for (Count n = 0; n < noted; n++) {
        if (!(work->best[n] >= most - TIE)) continue;
        double size = fabs(work->h[work->near[n]]) + fabs(work->l[work->rows[n]]);
        if (size < least) least = size, best = n;
    }
    found[0] = best < 0 ? clipped(0.0, asked->bounds[0]) : work->h[work->near[best]];
    found[1] = best < 0 ? clipped(0.0, asked->bounds[1]) : work->l[work->rows[best]];
    found[2] = profit_of(terms, problem, found[0], found[1], work->scratch);
}

#endif
