/* What _fitted_by_arrays of execution/lattices.py does, to the bit, for one bar after the other.

   The names and formulas are those of that file; every sum runs in the order of the samples. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <stdlib.h>
#include <string.h>

#define VERSION 1 /* lattices.py takes no other: an old build beside new sources is not used */

typedef Py_ssize_t Count;

static const double NO_WIDTH = 1e-100; /* is divided by where edges coincide */

/* Where a place lies among increasing ones: behind the one before `after`, and how far on the way to that. */
typedef struct {
    Count after;
    double way;
} Place;

static Place place_of(double x, const double *edges, Count count) {
    Count after = 0;
    while (after < count && edges[after] < x) after++;
    after = after < 1 ? 1 : after > count - 1 ? count - 1 : after;
    double start = edges[after - 1], width = edges[after] - start;
    double way = (x - start) / (width > NO_WIDTH ? width : NO_WIDTH);
    return (Place){after, way < 1.0 ? way : 1.0};
}

/* What is worked on for a bar of P edges, M samples and Q values at each. */
typedef struct {
    double *on_edges;                  /* [P, Q] */
    double *before, *after;            /* [P, Q] what is wanted by the samples after an edge, and before it */
    double *diagonal, *ahead, *beside; /* [P] */
    double *left;                      /* [Q] */
} Work;

/* The values between two of `rows` `[., Q]`. */
static void between(double *out, const double *rows, Place at, Count size) {
    const double *start = rows + (at.after - 1) * size, *end = start + size;
    for (Count i = 0; i < size; i++) out[i] = start[i] * (1 - at.way) + end[i] * at.way;
}

static void add(double *sums, const double *values, double weight, Count size) {
    for (Count i = 0; i < size; i++) sums[i] += weight * values[i];
}

/* row -= factor * other */
static void take_away(double *row, const double *other, double factor, Count size) {
    for (Count i = 0; i < size; i++) row[i] -= factor * other[i];
}

static void divide(double *row, double by, Count size) {
    for (Count i = 0; i < size; i++) row[i] /= by;
}

/* One bar's answer `[P, Q]`. */
static void fit(double *out, Work work, const double *edges, const double *x, const double *values, int start, int end,
                double ridge, Count count, Count samples, Count size) {
    Count last = 0;
    while (last < count - 1 && edges[last] < edges[count - 1]) last++;
    memset(work.before, 0, 2 * count * size * sizeof(double));
    memset(work.diagonal, 0, 3 * count * sizeof(double));
    for (Count p = 0; p < count; p++) between(work.on_edges + p * size, values, place_of(edges[p], x, samples), size);
    for (Count m = 0; m < samples; m++) {
        double behind = m ? x[m] - x[m - 1] : 0.0, ahead = m < samples - 1 ? x[m + 1] - x[m] : 0.0;
        double length = (behind + ahead) / 2;
        Place at = place_of(x[m], edges, count);
        Count before = at.after - 1;
        double at_start = (start && before == 0) || (end && before == last) ? 0.0 : 1 - at.way;
        double at_end = end && at.after == last ? 0.0 : at.way;
        between(work.left, work.on_edges, at, size);
        for (Count i = 0; i < size; i++) work.left[i] = values[m * size + i] - work.left[i];
        work.diagonal[before] += length * (at_start * at_start);
        work.ahead[at.after] += length * (at_end * at_end);
        work.beside[before] += length * at_start * at_end;
        add(work.before + before * size, work.left, length * at_start, size);
        add(work.after + at.after * size, work.left, length * at_end, size);
    }
    double *wanted = work.before, *diagonal = work.diagonal;
    for (Count p = 0; p < count; p++) {
        diagonal[p] += work.ahead[p];
        diagonal[p] += diagonal[p] > 0 ? ridge * diagonal[p] : 1.0;
        add(wanted + p * size, work.after + p * size, 1.0, size);
    }
    for (Count p = 1; p < count; p++) {
        double share = work.beside[p - 1] / diagonal[p - 1];
        diagonal[p] -= share * work.beside[p - 1];
        take_away(wanted + p * size, wanted + (p - 1) * size, share, size);
    }
    divide(wanted + (count - 1) * size, diagonal[count - 1], size);
    for (Count p = count - 2; p >= 0; p--) {
        take_away(wanted + p * size, wanted + (p + 1) * size, work.beside[p], size);
        divide(wanted + p * size, diagonal[p], size);
    }
    for (Count p = 0; p < count; p++) {
        Count from = p < last ? p : last;
        memcpy(out + p * size, work.on_edges + from * size, size * sizeof(double));
        add(out + p * size, wanted + from * size, 1.0, size);
    }
}

/* fitted(edges, x, values, start, end, ridge, bars, P, M, Q, found): float64 arrays `[bars, P]`, `[bars, M]`,
   `[bars, M, Q]`, truth values `[bars]` twice, and float64 `[bars, P, Q]`. */
static PyObject *py_fitted(PyObject *self, PyObject *arguments) {
    Py_buffer view[6] = {{0}};
    Count bars, edges, samples, size;
    double ridge;
    PyObject *answer = NULL;
    double *memory = NULL;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "y*y*y*y*y*dnnnnw*", &view[0], &view[1], &view[2], &view[3], &view[4], &ridge,
                          &bars, &edges, &samples, &size, &view[5]))
        return NULL;
    const Count number = sizeof(double), lengths[6] = {bars * edges * number, bars * samples * number,
                                                       bars * samples * size * number, bars, bars,
                                                       bars * edges * size * number};
    for (int i = 0; i < 6; i++)
        if (view[i].len != lengths[i]) {
            PyErr_Format(PyExc_ValueError, "array %d has %zd bytes, must have %zd", i, view[i].len, lengths[i]);
            goto end;
        }
    if (edges < 2 || samples < 2) {
        PyErr_SetString(PyExc_ValueError, "at least two edges and two samples are needed");
        goto end;
    }
    memory = malloc(number * (3 * edges * size + 3 * edges + size));
    if (!memory) {
        PyErr_NoMemory();
        goto end;
    }
    double *sums = memory + edges * size, *lines = sums + 2 * edges * size;
    Work work = {memory, sums, sums + edges * size, lines, lines + edges, lines + 2 * edges, lines + 3 * edges};
    const char *start = view[3].buf, *end = view[4].buf;
    Py_BEGIN_ALLOW_THREADS
    for (Count n = 0; n < bars; n++)
        fit((double *)view[5].buf + n * edges * size, work, (double *)view[0].buf + n * edges,
            (double *)view[1].buf + n * samples, (double *)view[2].buf + n * samples * size, start[n], end[n], ridge,
            edges, samples, size);
    Py_END_ALLOW_THREADS
    answer = Py_NewRef(Py_None);
end:
    free(memory);
    for (int i = 0; i < 6; i++) PyBuffer_Release(&view[i]);
    return answer;
}

static PyMethodDef methods[] = {{"fitted", py_fitted, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};

static int add_version(PyObject *module) { return PyModule_AddIntConstant(module, "VERSION", VERSION); }

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)add_version}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_lattices", .m_size = 0, .m_methods = methods, .m_slots = slots,
};

PyMODINIT_FUNC PyInit__lattices(void) { return PyModuleDef_Init(&definition); }
