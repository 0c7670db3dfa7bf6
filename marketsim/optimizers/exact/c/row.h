/* What take-profits earn at all candidates h, for one candidate l after the other.

   A row of sums over all bars has a place for every candidate h. From one candidate l to the next a bar changes what it
   adds only where its level meets an edge of its lattice. Between two edges it adds lines in l, so that the row is kept
   as an offset and a slope. */

#ifndef ROW_H
#define ROW_H

#include "candidates.h"

static const double STEEP = 64.0; /* a line that rises faster loses digits: on its rows a bar is summed for each alone */

typedef struct {
    double offset, slope; /* at the zero of a part, and by the level along the row */
} Line;

/* A bar of a leg. Its lattice has parts along the row: between upper edges, or in the mirror between lower ones. In each
   of them it adds `fixed + l * rising`, until the level across meets its next edge. */
typedef struct {
    const Leg *leg;
    Count bar, next, cell; /* `next` bar that changes at the same row, or -1; `cell`: edges that are passed across */
    Count unclipped, clipped; /* rows at which the level across leaves its upper clip, and comes to its lower one */
    int32_t *ends;            /* [parts] candidates h where parts end, or in the mirror begin */
    int32_t *rows;            /* [edges across] rows at which the level across meets edges */
    Line *fixed, *rising;     /* [parts] */
} Bar;

typedef struct {
    Candidates h, l;
    double *row, *slopes;  /* [h] profit but for the entries at l: its value at l = 0, and its slope */
    double *by_l, *scratch;
    double *best;          /* [l] of each row */
    Count *where, *at;     /* [l] the best of the row, and the first bar that changes at it, or -1 */
    Bar *bars;
    Count count, edges; /* `edges` that a bar has at most in one direction */
    double *nodes, *rates; /* [edges along the row] what a bar takes there, and its slope by the level across */
    Line *lines;
    int32_t *places;
} Work;

HOT static void add_lines(double *row, const double *h, Count n, double move, double way, const double *clip, double zero,
                          Line line) {
    double low = clip[0], high = clip[1], offset = line.offset, slope = line.slope;
    for (Count k = 0; k < n; k++) {
        double level = move + way * h[k];
        level = level < low ? low : level;
        level = level > high ? high : level;
        row[k] += offset + slope * (level - zero);
    }
}

/* The greatest profit of a row; `slopes` are NULL where none changes with l. */
HOT static double most(const double *row, const double *slopes, Count n, double l) {
    double part[8], best = -INFINITY;
    Count k = 0;
    for (int j = 0; j < 8; j++) part[j] = -INFINITY;
    if (slopes)
        for (; k + 8 <= n; k += 8)
            for (int j = 0; j < 8; j++) {
                double profit = row[k + j] + l * slopes[k + j];
                part[j] = profit > part[j] ? profit : part[j];
            }
    else
        for (; k + 8 <= n; k += 8)
            for (int j = 0; j < 8; j++) part[j] = row[k + j] > part[j] ? row[k + j] : part[j];
    for (; k < n; k++) {
        double profit = row[k] + (slopes ? l * slopes[k] : 0.0);
        best = profit > best ? profit : best;
    }
    for (int j = 0; j < 8; j++) best = part[j] > best ? part[j] : best;
    return best;
}

/* The candidate of the least size among those that are as good as the best. */
static Count nearest(const Work *work, Count first, Count last, double l, double best) {
    Count found = -1;
    for (Count k = first; k < last; k++) {
        double profit = work->row[k] + l * work->slopes[k];
        if (profit >= best - TIE && (found < 0 || fabs(work->h.x[k]) < fabs(work->h.x[found]))) found = k;
    }
    return found;
}

static void schedule(Work *work, Count number, Count row) {
    if (row >= work->l.count) return;
    work->bars[number].next = work->at[row];
    work->at[row] = number;
}

/* Prepares a bar with take-profits, and books it for the row at which the first of them begins. */
static void place(Work *work, const Leg *leg, Count bar) {
    Count number = work->count++, uppers = leg->uppers, lowers = leg->lowers;
    Count parts = leg->mirrored ? lowers : uppers, across = leg->mirrored ? uppers : lowers;
    Count stride = work->edges;
    Bar *it = work->bars + number;
    const double *ue = leg->upper_edges + bar * uppers, *le = leg->lower_edges + bar * lowers;
    const Candidates *of_upper = leg->mirrored ? &work->l : &work->h, *of_lower = leg->mirrored ? &work->h : &work->l;
    double way = leg->mirrored ? -1.0 : 1.0;
    it->leg = leg, it->bar = bar, it->cell = leg->mirrored ? uppers : 0;
    it->ends = work->places + number * 2 * stride, it->rows = it->ends + stride;
    it->fixed = work->lines + number * 2 * stride, it->rising = it->fixed + stride;
    memset(it->fixed, 0, (size_t)parts * sizeof(Line));
    memset(it->rising, 0, (size_t)parts * sizeof(Line));
    int32_t *at_upper = leg->mirrored ? it->rows : it->ends, *at_lower = leg->mirrored ? it->ends : it->rows;
    for (Count p = 0; p < uppers; p++)
        at_upper[p] = (int32_t)meeting(of_upper, leg->upper_move[bar], way, leg->upper_clip, ue[p], LEVEL_TIE);
    for (Count q = 0; q < lowers; q++)
        at_lower[q] = (int32_t)meeting(of_lower, leg->lower_move[bar], way, leg->lower_clip, le[q], LEVEL_TIE);
    if (leg->mirrored) {
        double move = leg->upper_move[bar];
        it->unclipped = meeting(&work->l, move, -1.0, EVERYWHERE, leg->upper_clip[1], 0.0);
        it->clipped = meeting(&work->l, move, -1.0, EVERYWHERE, leg->upper_clip[0], 0.0);
    }
    schedule(work, number, it->rows[leg->mirrored ? across - 1 : 0]);
}

/* What a long takes at its upper edges, for weights there once more to be multiplied with what a take-profit pays, and
   by how much that rises with the lower level from `start`. Returns the next row at which it is otherwise. */
static Count nodes_of_long(Work *work, Bar *it, Count row, double *start) {
    const Leg *leg = it->leg;
    Count lowers = leg->lowers, q = it->cell;
    const double *edges = leg->lower_edges + it->bar * lowers, *weight = leg->weight + it->bar * leg->uppers * lowers;
    while (q < lowers && it->rows[q] <= row) q++;
    it->cell = q;
    Count before = q - 1, after = leg->interpolated && q < lowers ? q : before;
    Count next = q < lowers ? it->rows[q] : work->l.count;
    double width = edges[after] - edges[before], level = clipped(leg->lower_move[it->bar] + work->l.x[row], leg->lower_clip);
    double steepest = 0.0;
    for (Count p = 0; p < leg->uppers; p++) {
        const double *along = weight + p * lowers;
        work->nodes[p] = width > 0.0 ? along[before] : along[after];
        work->rates[p] = width > 0.0 ? (along[after] - along[before]) / width : 0.0;
        steepest = fmax(steepest, fabs(work->rates[p]));
    }
    *start = leg->interpolated ? edges[before] : 0.0; /* of bins an edge may be infinite */
    if (steepest > STEEP) {
        for (Count p = 0; p < leg->uppers; p++)
            work->nodes[p] += share(level, edges[before], edges[after]) * (weight[p * lowers + after] - work->nodes[p]),
                work->rates[p] = 0.0;
        return row + 1;
    }
    return next;
}

/* The same of a short: what it takes at its lower edges, which changes with the upper level. */
static Count nodes_of_short(Work *work, Bar *it, Count row, double *start) {
    const Leg *leg = it->leg;
    Count uppers = leg->uppers, lowers = leg->lowers, p = it->cell;
    const double *edges = leg->upper_edges + it->bar * uppers, *weight = leg->weight + it->bar * uppers * lowers;
    double gain = leg->gain[it->bar], per_upper = leg->per_upper[it->bar], steepest = 0.0;
    double level = clipped(leg->upper_move[it->bar] - work->l.x[row], leg->upper_clip);
    while (p > 0 && it->rows[p - 1] <= row) p--;
    it->cell = p;
    Count next = p > 0 ? it->rows[p - 1] : work->l.count;
    weight += p * lowers;
    *start = 0.0;
    if (!leg->interpolated || p == 0) {
        int fixed = row < it->unclipped || row >= it->clipped;
        Count bend = row < it->unclipped ? it->unclipped : row < it->clipped ? it->clipped : work->l.count;
        for (Count q = 0; q < lowers; q++) {
            work->nodes[q] = weight[q] * (fixed ? gain + per_upper * level : gain);
            work->rates[q] = fixed ? 0.0 : weight[q] * per_upper;
        }
        return next < bend ? next : bend;
    }
    double width = edges[p] - edges[p - 1], value[2] = {gain + per_upper * edges[p - 1], gain + per_upper * edges[p]};
    for (Count q = 0; q < lowers; q++) {
        double from = weight[q - lowers] * value[0], to = weight[q] * value[1];
        work->nodes[q] = width > 0.0 ? from : to;
        work->rates[q] = width > 0.0 ? (to - from) / width : 0.0;
        steepest = fmax(steepest, fabs(work->rates[q]));
    }
    *start = edges[p - 1];
    if (steepest > STEEP) {
        for (Count q = 0; q < lowers; q++)
            work->nodes[q] += share(level, edges[p - 1], edges[p]) * (weight[q] * value[1] - work->nodes[q]),
                work->rates[q] = 0.0;
        return row + 1;
    }
    return next;
}

/* The line of a part between two edges along the row, from what is taken at them. */
static Line between(double from, double to, double width) {
    Line line = {width > 0.0 ? from : to, width > 0.0 ? (to - from) / width : 0.0};
    return line;
}

/* Replaces what a bar has added to the row by what it adds from this row on, and books the bar for its next change. */
static void change(Work *work, Count number, Count row) {
    Bar *it = work->bars + number;
    const Leg *leg = it->leg;
    Count bar = it->bar, parts = leg->mirrored ? leg->lowers : leg->uppers;
    const double *edges = leg->mirrored ? leg->lower_edges + bar * parts : leg->upper_edges + bar * parts;
    const double *clip = leg->mirrored ? leg->lower_clip : leg->upper_clip, *nodes = work->nodes, *rates = work->rates;
    double move = leg->mirrored ? leg->lower_move[bar] : leg->upper_move[bar], way = leg->mirrored ? -1.0 : 1.0, start;
    double gain = leg->gain[bar], per_upper = leg->per_upper[bar];
    Count next = leg->mirrored ? nodes_of_short(work, it, row, &start) : nodes_of_long(work, it, row, &start);
    double reach = (leg->mirrored ? leg->upper_move[bar] : leg->lower_move[bar]) - start;
    for (Count i = 0; i < parts; i++) {
        Line fixed, rising;
        double zero = 0.0;
        if (leg->mirrored && leg->interpolated) {
            Count after = i + 1 < parts ? i + 1 : i;
            zero = edges[i];
            fixed = between(nodes[i], nodes[after], edges[after] - zero);
            rising = between(rates[i], rates[after], edges[after] - zero);
        } else if (leg->mirrored) {
            fixed = between(0.0, nodes[i], 0.0), rising = between(0.0, rates[i], 0.0);
        } else if (leg->interpolated && i > 0) {
            double value[2] = {gain + per_upper * edges[i - 1], gain + per_upper * edges[i]};
            zero = edges[i - 1];
            fixed = between(nodes[i - 1] * value[0], nodes[i] * value[1], edges[i] - zero);
            rising = between(rates[i - 1] * value[0], rates[i] * value[1], edges[i] - zero);
        } else {
            fixed.offset = nodes[i] * gain, fixed.slope = nodes[i] * per_upper;
            rising.offset = rates[i] * gain, rising.slope = rates[i] * per_upper;
        }
        fixed.offset += reach * rising.offset, fixed.slope += reach * rising.slope;
        rising.offset *= way, rising.slope *= way;
        Count last = it->ends[i], first = i ? it->ends[i - 1] : 0;
        if (leg->mirrored) first = i + 1 < parts ? it->ends[i + 1] : 0;
        Line step = {fixed.offset - it->fixed[i].offset, fixed.slope - it->fixed[i].slope};
        if (first < last && (step.offset != 0.0 || step.slope != 0.0))
            add_lines(work->row + first, work->h.x + first, last - first, move, way, clip, zero, step);
        step.offset = rising.offset - it->rising[i].offset, step.slope = rising.slope - it->rising[i].slope;
        if (first < last && (step.offset != 0.0 || step.slope != 0.0))
            add_lines(work->slopes + first, work->h.x + first, last - first, move, way, clip, zero, step);
        it->fixed[i] = fixed, it->rising[i] = rising;
    }
    schedule(work, number, next);
}

#endif
