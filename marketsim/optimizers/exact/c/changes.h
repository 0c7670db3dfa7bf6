/* How a bar's take-profits change from one candidate l to the next, for all problems that have the bar.

   Between two edges of its lattice a bar earns a line in h and in l, and so a line of lines on both. Going up in l it
   changes only where its level across comes to the next edge, and there by such lines from one candidate h to another. */

#ifndef CHANGES_H
#define CHANGES_H

#include "candidates.h"

static const double DIGITS = 256.0; /* how far the terms of a line may rise inside the bounds without losing digits */

typedef struct {
    double constant, by_h, by_l, by_both;
} Surface;

/* A stretch of candidates on one part of a lattice, where the level moves with them or is what the clip makes of it. */
typedef struct {
    int32_t begin; /* rank */
    int32_t part;  /* how many edges lie below its level; -1 where nothing is taken */
    int moves;
    double level;
} Stretch;

typedef struct {
    Stretch *items;
    Count count, room;
} Stretches;

/* Numbers of which nobody knows how many there will be. */
typedef struct {
    void *memory;
    size_t used, room;
} Pool;

static void *grown(Pool *pool, size_t bytes) {
    if (pool->used + bytes > pool->room) {
        size_t room = 2 * pool->room + bytes;
        void *memory = realloc(pool->memory, room);
        if (!memory) return NULL;
        pool->memory = memory, pool->room = room;
    }
    void *place = (char *)pool->memory + pool->used;
    pool->used += bytes;
    return place;
}

/* All that a bar of a leg does: which candidates fill its entry, and its changes. */
typedef struct {
    Count filled, low, high; /* ranks of lower multipliers: from where the entry is filled, and moves with the level */
    Count changes, ends;     /* how many, and at how many candidates h each of them begins or ends a line */
    size_t ranks, surfaces;  /* where they are in the pools: of changes, then of ends; [changes, ends] */
    int placed;
} Bar;

typedef struct {
    Pool ranks, surfaces; /* of int32_t, and of Surface */
    Stretches along, across;
    double *nodes, *rises; /* [edges] what is taken at the edges along, and its slope by l */
    Pool before;           /* of Surface: what a bar adds before a change */
} Changes;

static int room_for(Stretches *into, Count more) {
    Count needed = into->count + more;
    if (needed <= into->room) return 0;
    Stretch *items = realloc(into->items, 2 * (size_t)needed * sizeof *items);
    if (!items) return -1;
    into->items = items, into->room = 2 * needed;
    return 0;
}

/* Candidates `first` to `last` as stretches of a part; on a `steep` one each of them has a level of its own. */
static int stretch(Stretches *into, const Candidates *all, Count first, Count last, int32_t part, int steep, double move,
                   double way, const double *clip) {
    if (room_for(into, steep ? last - first : 3)) return -1;
    if (steep) {
        for (Count k = first; k < last; k++)
            into->items[into->count++] = (Stretch){(int32_t)k, part, 0, clipped(move + way * all->x[k], clip)};
        return 0;
    }
    int rises = way > 0.0;
    Count inside = meeting(all, move, way, EVERYWHERE, clip[!rises], 0.0);
    Count beyond = meeting(all, move, way, EVERYWHERE, clip[rises], 0.0);
    Count end = inside < last ? inside : last, begin = inside > first ? inside : first;
    if (first < end) into->items[into->count++] = (Stretch){(int32_t)first, part, 0, clip[!rises]};
    end = beyond < last ? beyond : last;
    if (begin < end) into->items[into->count++] = (Stretch){(int32_t)begin, part, 1, 0.0};
    begin = beyond > first ? beyond : first;
    if (begin < last) into->items[into->count++] = (Stretch){(int32_t)begin, part, 0, clip[rises]};
    return 0;
}

/* What is taken at each edge along, on a stretch across: a value at l = 0, and a slope by l. */
static void nodes_of(const Leg *leg, Count bar, const Stretch *across, Changes *work) {
    Count uppers = leg->uppers, lowers = leg->lowers, edge = across->part;
    const double *ue = leg->upper_edges + bar * uppers, *le = leg->lower_edges + bar * lowers;
    const double *weight = leg->weight + bar * uppers * lowers;
    double gain = leg->gain[bar], per_upper = leg->per_upper[bar], start = 0.0, width;
    Count nodes = leg->mirrored ? lowers : uppers, before = edge - 1, after = edge;
    if (!leg->mirrored) {
        if (!leg->interpolated || edge == lowers) after = before;
        width = le[after] - le[before];
        for (Count p = 0; p < uppers; p++) {
            double from = weight[p * lowers + before], to = weight[p * lowers + after];
            work->nodes[p] = width > 0.0 ? from : to;
            work->rises[p] = width > 0.0 ? (to - from) / width : 0.0;
        }
        if (leg->interpolated) start = le[before]; /* of bins an edge may be infinite */
    } else if (!leg->interpolated || edge == 0) {
        for (Count q = 0; q < lowers; q++)
            work->nodes[q] = weight[edge * lowers + q] * gain, work->rises[q] = weight[edge * lowers + q] * per_upper;
    } else {
        double value[2] = {gain + per_upper * ue[before], gain + per_upper * ue[after]};
        width = ue[after] - ue[before], start = ue[before];
        for (Count q = 0; q < lowers; q++) {
            double from = weight[before * lowers + q] * value[0], to = weight[after * lowers + q] * value[1];
            work->nodes[q] = width > 0.0 ? from : to;
            work->rises[q] = width > 0.0 ? (to - from) / width : 0.0;
        }
    }
    double move = leg->mirrored ? leg->upper_move[bar] : leg->lower_move[bar];
    for (Count i = 0; i < nodes; i++) {
        work->nodes[i] += work->rises[i] * ((across->moves ? move : across->level) - start);
        work->rises[i] = across->moves ? (leg->mirrored ? -work->rises[i] : work->rises[i]) : 0.0;
    }
}

static void line_along(const Leg *leg, Count bar, const Stretch *along, const double *nodes, double *constant,
                       double *by_h) {
    Count parts = leg->mirrored ? leg->lowers : leg->uppers, start = along->part - 1;
    const double *edges = leg->mirrored ? leg->lower_edges + bar * parts : leg->upper_edges + bar * parts;
    double gain = leg->gain[bar], per_upper = leg->per_upper[bar], zero = 0.0, offset, slope;
    double move = leg->mirrored ? leg->lower_move[bar] : leg->upper_move[bar];
    if (leg->mirrored && !leg->interpolated) {
        offset = nodes[start], slope = 0.0;
    } else if (!leg->mirrored && (!leg->interpolated || start < 0)) {
        offset = nodes[start + 1] * gain, slope = nodes[start + 1] * per_upper;
    } else {
        Count end = start + 1 < parts ? start + 1 : start;
        double width = edges[end] - edges[start];
        double from = leg->mirrored ? nodes[start] : nodes[start] * (gain + per_upper * edges[start]);
        double to = leg->mirrored ? nodes[end] : nodes[end] * (gain + per_upper * edges[end]);
        zero = edges[start], offset = width > 0.0 ? from : to, slope = width > 0.0 ? (to - from) / width : 0.0;
    }
    *constant = offset + slope * ((along->moves ? move : along->level) - zero);
    *by_h = along->moves ? (leg->mirrored ? -slope : slope) : 0.0;
}

/* The stretches of one level of a bar: of candidates h, or `across` those of l. */
static int stretches(const Leg *leg, Count bar, int across, const Candidates *all, double most, double reach,
                     double *narrowest, Stretches *into) {
    int upper = across == leg->mirrored; /* which of the levels it is */
    Count count = upper ? leg->uppers : leg->lowers, last = 0;
    const double *edges = upper ? leg->upper_edges + bar * count : leg->lower_edges + bar * count;
    const double *clip = upper ? leg->upper_clip : leg->lower_clip;
    double move = upper ? leg->upper_move[bar] : leg->lower_move[bar], way = leg->mirrored ? -1.0 : 1.0;
    double widest = most * reach / DIGITS * (across ? reach / *narrowest : 1.0); /* of parts that are steep */
    into->count = 0;
    for (Count n = 0; n <= count; n++) {
        Count passed = leg->mirrored ? count - n : n, first = last, next = leg->mirrored ? passed - 1 : passed;
        last = next < 0 || next == count ? all->count : meeting(all, move, way, clip, edges[next], LEVEL_TIE);
        if (passed == (upper ? count : 0)) {
            if (!across && room_for(into, 1)) return -1;
            if (!across) into->items[into->count++] = (Stretch){(int32_t)first, -1, 0, 0.0};
            continue;
        }
        double width = leg->interpolated && passed > 0 && passed < count ? edges[passed] - edges[passed - 1] : 0.0;
        int steep = width > 0.0 && width < widest;
        if (!across && width > 0.0 && !steep && width < *narrowest) *narrowest = width;
        if (first < last && stretch(into, all, first, last, (int32_t)passed, steep, move, way, clip)) return -1;
    }
    return 0;
}

/* Works out how a bar changes; -1 without memory. */
static int changes_of(const Leg *leg, Count number, const Candidates *both, double reach, Changes *work, Bar *bar) {
    Count uppers = leg->uppers, lowers = leg->lowers;
    const double *weight = leg->weight + number * uppers * lowers, *ue = leg->upper_edges + number * uppers;
    double most = 0.0, narrowest = reach;
    bar->changes = 0, bar->ends = 0, bar->ranks = work->ranks.used, bar->surfaces = work->surfaces.used;
    Count empty = 0;
    while (empty < uppers * lowers && weight[empty] == 0.0) empty++;
    if (empty == uppers * lowers) return 0;
    for (Count p = 0; leg->interpolated && p < uppers; p++)
        most = fmax(most, fabs(leg->gain[number]) + fabs(leg->per_upper[number] * ue[p]));
    if (stretches(leg, number, 0, both, most, reach, &narrowest, &work->along) ||
        stretches(leg, number, 1, both + 1, most, reach, &narrowest, &work->across))
        return -1;
    size_t ends = (size_t)work->along.count, changes = (size_t)work->across.count;
    if (ends < 2 || !changes) return 0;
    bar->changes = (Count)changes, bar->ends = (Count)ends;
    int32_t *ranks = grown(&work->ranks, (changes + ends) * sizeof *ranks);
    Surface *surfaces = grown(&work->surfaces, changes * ends * sizeof *surfaces);
    work->before.used = 0;
    Surface *before = grown(&work->before, ends * sizeof *before);
    if (!ranks || !surfaces || !before) return -1;
    memset(before, 0, ends * sizeof *before);
    for (size_t j = 0; j < ends; j++) ranks[changes + j] = work->along.items[j].begin;
    for (size_t s = 0; s < changes; s++) {
        Surface here, last = {0.0, 0.0, 0.0, 0.0};
        ranks[s] = work->across.items[s].begin;
        nodes_of(leg, number, work->across.items + s, work);
        for (size_t j = 0; j < ends; j++) {
            here = (Surface){0.0, 0.0, 0.0, 0.0};
            if (work->along.items[j].part >= 0) {
                line_along(leg, number, work->along.items + j, work->nodes, &here.constant, &here.by_h);
                line_along(leg, number, work->along.items + j, work->rises, &here.by_l, &here.by_both);
            }
            Surface more = {here.constant - last.constant, here.by_h - last.by_h, here.by_l - last.by_l,
                            here.by_both - last.by_both};
            surfaces[s * ends + j] = (Surface){more.constant - before[j].constant, more.by_h - before[j].by_h,
                                               more.by_l - before[j].by_l, more.by_both - before[j].by_both};
            before[j] = more, last = here;
        }
    }
    return 0;
}

#endif
