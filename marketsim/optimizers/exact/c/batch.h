/* Problems that share bars, as neighboring windows do: what does not depend on the window is worked out once for all. */

#ifndef BATCH_H
#define BATCH_H

#include "problem.h"

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

/* How many bars a batch may have: each bar more is worked out once more, each bar less is looked at once less. */
static Count most_bars(const Terms *terms, const Question *asked) {
    return terms->rows && !asked->high_move ? 2 * terms->window + 8 : terms->window;
}

typedef struct {
    Point *points;
    unsigned char *matter;
    double *above;
} Spare;

static void lay_out(Arena *arena, Work *work, Spare *spare, const Terms *terms, const Question *asked) {
    size_t bars = (size_t)most_bars(terms, asked), legs = (size_t)terms->count, edges = 1, all = 0;
    size_t marks[2] = {5, 5}, most;
    for (int i = 0; i < terms->count; i++) {
        const Leg *leg = terms->legs + i;
        size_t uppers = (size_t)leg->uppers, lowers = (size_t)leg->lowers;
        edges = uppers > edges ? uppers : edges, edges = lowers > edges ? lowers : edges;
        all = (size_t)leg->bars > all ? (size_t)leg->bars : all;
        marks[leg->mirrored] += bars * uppers, marks[!leg->mirrored] += 3 * bars * (lowers + 1);
        work->of_leg[i] = take(arena, bars, sizeof(Bar));
    }
    most = marks[0] > marks[1] ? marks[0] : marks[1];
    for (int i = 0; i < 2; i++) {
        Candidates *both = work->both + i;
        both->x = take(arena, marks[i] + 1, sizeof(double));
        both->begin = take(arena, 2 * marks[i] + 2, sizeof(int32_t));
        both->marks = take(arena, marks[i], sizeof(Mark)), both->points = take(arena, marks[i], sizeof(Point));
        both->of_bar = take(arena, legs * (bars + 1), sizeof(int32_t));
        both->present = take(arena, marks[i] + 1, 1), both->place = take(arena, marks[i] + 1, sizeof(int32_t));
        *(i ? &work->l : &work->h) = take(arena, marks[i] + 1, sizeof(double));
        work->profits[i] = take(arena, marks[0] + 2 * PARTS, sizeof(double));
    }
    for (int i = 0; i < 4; i++) work->row.sums[i] = take(arena, marks[0] + 3 * PARTS, sizeof(double));
    work->row.x = take(arena, marks[0] + 2 * PARTS, sizeof(double));
    work->row.slots = take(arena, marks[0] + 1, sizeof(int32_t));
    work->numbers = take(arena, bars, sizeof(int32_t));
    work->here = terms->rows ? take(arena, all, sizeof(int32_t)) : NULL;
    work->changes.nodes = take(arena, edges, sizeof(double)), work->changes.rises = take(arena, edges, sizeof(double));
    work->by_l = take(arena, marks[1] + 1, sizeof(double)), work->best = take(arena, marks[1] + 1, sizeof(double));
    work->rows = take(arena, marks[1] + 1, sizeof(Count)), work->near = take(arena, marks[1] + 1, sizeof(Count));
    work->at = take(arena, marks[1] + 1, sizeof(Count));
    work->scratch = take(arena, 2 * (marks[1] + 2) + (size_t)terms->window, sizeof(double));
    work->traded = take(arena, legs * (size_t)terms->window, sizeof(Traded));
    spare->points = take(arena, most, sizeof(Point));
    spare->matter = take(arena, edges, 1), spare->above = take(arena, edges, sizeof(double));
}

/* Takes problems from `first` on as long as their bars fit; returns the first one that is left. */
static Count fill_batch(Work *work, const Terms *terms, const Question *asked, Count first) {
    Count problem = first, most = most_bars(terms, asked);
    work->bars = 0;
    for (; problem < terms->problems; problem++) {
        Count before = work->bars, w = 0;
        if (!terms->rows) {
            for (; w < terms->window; w++) work->numbers[work->bars++] = (int32_t)(first * terms->window + w);
            return first + 1;
        }
        if (asked->high_move && problem > first) break; /* a floor has candidates of its own */
        for (; w < terms->window; w++) {
            Count number = bar_of(terms, problem, w);
            if (work->here[number] >= 0) continue;
            if (work->bars == most) break;
            work->here[number] = (int32_t)work->bars;
            work->numbers[work->bars++] = (int32_t)number;
        }
        if (w == terms->window) continue;
        while (work->bars > before) work->here[work->numbers[--work->bars]] = -1;
        break;
    }
    return problem;
}

/* Works out the candidates and the changes of a batch's bars; -1 without memory. */
static int prepare(Work *work, const Terms *terms, const Question *asked, Count problem, const Spare *spare) {
    int beside = 0, lines = asked->touching && terms->count > 1;
    double reach = 0.0;
    Count bars = work->bars;
    for (int i = 0; i < 2; i++) {
        work->both[i].marked = 0;
        for (int j = 0; j < 2; j++) reach = fmax(reach, fabs(asked->bounds[i][j]));
    }
    for (int i = 0; i < terms->count; i++) beside |= terms->legs[i].interpolated;
    for (int i = 0; i < terms->count; i++)
        for (Count b = 0; b <= bars; b++) {
            for (int j = 0; j < 2; j++)
                work->both[j].of_bar[i * (bars + 1) + b] = (int32_t)work->both[j].marked;
            if (b < bars)
                mark(terms->legs + i, work->numbers[b], asked, beside, lines, work->both, spare->matter, spare->above);
        }
    for (int i = 0; i < 2; i++) {
        Candidates *all = work->both + i;
        const double *bounds = asked->bounds[i];
        if (beside || i == 1) add(all, bounds[0], bounds, ALWAYS, 0.0);
        if (beside || i == 0) add(all, bounds[1], bounds, ALWAYS, 0.0);
        add(all, 0.0, bounds, ALWAYS, 0.0);
        if (asked->high_move) /* from where, or up to where, the other multiplier is free */
            add(all, i ? -asked->distance - asked->low_move[problem] : asked->distance - asked->high_move[problem], bounds,
                ALWAYS, 0.0);
        rank(all, bounds, spare->points);
    }
    work->changes.ranks.used = work->changes.surfaces.used = 0;
    for (int i = 0; i < terms->count; i++)
        for (Count b = 0; b < bars; b++) {
            const Leg *leg = terms->legs + i;
            const Candidates *lower = work->both + !leg->mirrored;
            Bar *bar = work->of_leg[i] + b;
            Count number = work->numbers[b];
            double way = leg->mirrored ? -1.0 : 1.0, move = leg->lower_move[number];
            if (changes_of(leg, number, work->both, reach, &work->changes, bar)) return -1;
            bar->placed = leg->per_lower[number] != 0.0;
            if (!bar->placed) continue;
            double top = leg->open[number] < leg->lower_clip[1] ? leg->open[number] : leg->lower_clip[1];
            double floor = leg->lower_clip[0] < top ? leg->lower_clip[0] : top;
            bar->filled = meeting(lower, move, way, leg->lower_clip, leg->low[number], LEVEL_TIE);
            bar->low = meeting(lower, move, way, EVERYWHERE, floor, 0.0);
            bar->high = meeting(lower, move, way, EVERYWHERE, top, 0.0);
        }
    return 0;
}

/* Fills `found` [3, problems]; 0, or -1 without memory. */
static int solve_all(const Terms *terms, const Question *asked, double *found) {
    Arena arena = {NULL, 0};
    Work work;
    Spare spare;
    int failed = 0;
    memset(&work, 0, sizeof work);
    lay_out(&arena, &work, &spare, terms, asked);
    if (!(arena.memory = malloc(arena.used))) return -1;
    arena.used = 0;
    lay_out(&arena, &work, &spare, terms, asked);
    for (int i = 0; work.here && i < terms->count; i++)
        for (Count bar = 0; bar < terms->legs[i].bars; bar++) work.here[bar] = -1;
    for (Count problem = 0, next; !failed && problem < terms->problems; problem = next) {
        next = fill_batch(&work, terms, asked, problem);
        failed = prepare(&work, terms, asked, problem, &spare);
        for (; !failed && problem < next; problem++) {
            double answer[3];
            solve(&work, terms, problem, asked, answer);
            for (int i = 0; i < 3; i++) found[i * terms->problems + problem] = answer[i];
        }
        for (Count b = 0; work.here && b < work.bars; b++) work.here[work.numbers[b]] = -1;
    }
    free(work.changes.ranks.memory), free(work.changes.surfaces.memory), free(work.changes.before.memory);
    free(work.changes.along.items), free(work.changes.across.items);
    free(arena.memory);
    return failed;
}

#endif
