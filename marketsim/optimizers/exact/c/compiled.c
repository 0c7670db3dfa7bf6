/* The exact maximum and the profit of candidates for numpy's arrays: the module that compiled.py wraps. */

#include "batch.h"

#define VERSION 3 /* compiled.py takes no other: an old build beside new sources is not used */

enum { ARRAYS = 11 };

typedef struct {
    Py_buffer held[2 * ARRAYS + 7];
    int count;
    Leg legs[2];
    Terms terms;
} Call;

static void release(Call *call) {
    while (call->count) PyBuffer_Release(&call->held[--call->count]);
}

/* The memory of a contiguous array of `length` numbers of 8 bytes, or of any length if that is negative. */
static void *array(Call *call, PyObject *from, const char *kinds, Count *length, int writable) {
    Py_buffer *view = &call->held[call->count];
    if (PyObject_GetBuffer(from, view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT | (writable ? PyBUF_WRITABLE : 0))) return NULL;
    call->count++;
    Count found = view->itemsize == 8 ? view->len / 8 : -1;
    if (found < 0 || !view->format || strlen(view->format) != 1 || !strchr(kinds, view->format[0])) {
        PyErr_SetString(PyExc_TypeError, "arrays must be of float64, rows of int64");
        return NULL;
    }
    if (*length >= 0 && found != *length) {
        PyErr_Format(PyExc_ValueError, "an array has %zd numbers, must have %zd", found, *length);
        return NULL;
    }
    *length = found;
    return view->buf;
}

/* A leg is (mirrored, interpolated, four ends of clips, eight arrays [bars], upper edges, lower edges, weights). */
static int read_leg(Call *call, PyObject *from, Leg *leg) {
    PyObject *each[ARRAYS];
    const double *arrays[ARRAYS];
    if (!PyTuple_Check(from)) {
        PyErr_SetString(PyExc_TypeError, "a leg must be a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(from, "ppddddOOOOOOOOOOO", &leg->mirrored, &leg->interpolated, &leg->upper_clip[0],
                          &leg->upper_clip[1], &leg->lower_clip[0], &leg->lower_clip[1], &each[0], &each[1], &each[2],
                          &each[3], &each[4], &each[5], &each[6], &each[7], &each[8], &each[9], &each[10]))
        return -1;
    leg->bars = -1;
    for (int i = 0; i < ARRAYS; i++) {
        Count length = i < 8 ? leg->bars : i == 10 ? leg->bars * leg->uppers * leg->lowers : -1;
        if (!(arrays[i] = array(call, each[i], "d", &length, 0))) return -1;
        if (i == 0) leg->bars = length;
        if (i < 8 || i == 10) continue;
        if (leg->bars == 0 || length == 0 || length % leg->bars) {
            PyErr_Format(PyExc_ValueError, "%zd edges are no lattices of %zd bars", length, leg->bars);
            return -1;
        }
        *(i == 8 ? &leg->uppers : &leg->lowers) = length / leg->bars;
    }
    leg->upper_move = arrays[0], leg->lower_move = arrays[1], leg->low = arrays[2], leg->open = arrays[3];
    leg->at_level = arrays[4], leg->per_lower = arrays[5], leg->gain = arrays[6], leg->per_upper = arrays[7];
    leg->upper_edges = arrays[8], leg->lower_edges = arrays[9], leg->weight = arrays[10];
    return 0;
}

/* Terms are (legs, rows or None, sizes or None, problems, window). */
static int read_terms(Call *call, PyObject *from) {
    PyObject *legs, *rows, *sizes;
    Count problems, window, most = PY_SSIZE_T_MAX;
    if (!PyTuple_Check(from)) {
        PyErr_SetString(PyExc_TypeError, "terms must be a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(from, "O!OOnn", &PyTuple_Type, &legs, &rows, &sizes, &problems, &window)) return -1;
    Count size = problems * window;
    call->terms = (Terms){call->legs, (int)PyTuple_Size(legs), NULL, NULL, problems, window};
    if (call->terms.count < 1 || call->terms.count > 2 || problems < 1 || window < 1 || window > INT32_MAX / 64 ||
        problems > PY_SSIZE_T_MAX / window) {
        if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "needs one or two legs, and bars");
        return -1;
    }
    if (rows != Py_None && !(call->terms.rows = array(call, rows, "lq", &size, 0))) return -1;
    if (sizes != Py_None && !(call->terms.sizes = array(call, sizes, "d", &window, 0))) return -1;
    for (int i = 0; i < call->terms.count; i++) {
        if (read_leg(call, PyTuple_GetItem(legs, i), call->legs + i)) return -1;
        if (call->legs[i].bars > INT32_MAX || (!call->terms.rows && call->legs[i].bars != size)) {
            PyErr_SetString(PyExc_ValueError, "there are more or less bars than the problems have");
            return -1;
        }
        most = call->legs[i].bars < most ? call->legs[i].bars : most;
    }
    for (Count at = 0; call->terms.rows && at < size; at++)
        if (call->terms.rows[at] < 0 || call->terms.rows[at] >= most) {
            PyErr_SetString(PyExc_IndexError, "a row is no bar");
            return -1;
        }
    for (Count w = 0; call->terms.sizes && w < window; w++)
        if (!(call->terms.sizes[w] >= 0.0)) {
            PyErr_SetString(PyExc_ValueError, "a bar counts for less than nothing");
            return -1;
        }
    return 0;
}

/* A floor is (high_move [problems], low_move [problems], distance), or None. */
static int read_floor(Call *call, PyObject *from, Question *asked) {
    PyObject *high, *low;
    Count length = call->terms.problems;
    asked->high_move = asked->low_move = NULL;
    asked->distance = 0.0;
    if (from == Py_None) return 0;
    if (!PyTuple_Check(from)) {
        PyErr_SetString(PyExc_TypeError, "a floor must be a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(from, "OOd", &high, &low, &asked->distance)) return -1;
    asked->high_move = array(call, high, "d", &length, 0);
    asked->low_move = asked->high_move ? array(call, low, "d", &length, 0) : NULL;
    return asked->low_move ? 0 : -1;
}

static PyObject *py_maximize(PyObject *self, PyObject *args) {
    Call call = {.count = 0};
    Question asked;
    PyObject *terms, *floor, *out;
    Count length;
    double *found;
    int failed;
    (void)self;
    if (!PyArg_ParseTuple(args, "O(dd)(dd)dpOO", &terms, &asked.bounds[0][0],
                          &asked.bounds[0][1], &asked.bounds[1][0], &asked.bounds[1][1], &asked.step, &asked.touching,
                          &floor, &out))
        return NULL;
    if (read_terms(&call, terms)) {
        release(&call);
        return NULL;
    }
    length = 3 * call.terms.problems;
    if (read_floor(&call, floor, &asked) || !(found = array(&call, out, "d", &length, 1))) {
        release(&call);
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    failed = solve_all(&call.terms, &asked, found);
    Py_END_ALLOW_THREADS
    release(&call);
    if (failed) return PyErr_NoMemory();
    Py_RETURN_NONE;
}

static PyObject *py_profits(PyObject *self, PyObject *args) {
    Call call = {.count = 0};
    PyObject *terms, *h_from, *l_from, *out;
    Count problems, candidates, shared = 0, of_h = -1, of_l = -1, length;
    const double *h, *l;
    double *found, *scratch;
    (void)self;
    if (!PyArg_ParseTuple(args, "OOOO", &terms, &h_from, &l_from, &out)) return NULL;
    if (read_terms(&call, terms) || !(h = array(&call, h_from, "d", &of_h, 0)) ||
        !(l = array(&call, l_from, "d", &of_l, 0)))
        goto failed;
    length = -1;
    if (!(found = array(&call, out, "d", &length, 1))) goto failed;
    problems = call.terms.problems;
    candidates = length / problems, shared = of_h == candidates;
    if (length % problems || of_h != of_l || (!shared && of_h != length)) {
        PyErr_SetString(PyExc_ValueError, "candidates must be [problems, K] or [1, K]");
        goto failed;
    }
    if (!(scratch = malloc((size_t)call.terms.window * sizeof *scratch))) {
        PyErr_NoMemory();
        goto failed;
    }
    Py_BEGIN_ALLOW_THREADS
    for (Count b = 0; b < problems; b++)
        for (Count k = 0; k < candidates; k++) {
            Count at = (shared ? 0 : b * candidates) + k;
            found[b * candidates + k] = profit_of(&call.terms, b, h[at], l[at], scratch);
        }
    Py_END_ALLOW_THREADS
    free(scratch);
    release(&call);
    Py_RETURN_NONE;
failed:
    release(&call);
    return NULL;
}

/* One candidate on one problem: for searches that ask for nothing else, it is not worth an array. */
static PyObject *py_profit(PyObject *self, PyObject *args) {
    Call call = {.count = 0};
    PyObject *terms, *answer = NULL;
    double h, l, *scratch = NULL;
    (void)self;
    if (!PyArg_ParseTuple(args, "Odd", &terms, &h, &l)) return NULL;
    if (!read_terms(&call, terms)) {
        if ((scratch = malloc((size_t)call.terms.window * sizeof *scratch)))
            answer = PyFloat_FromDouble(profit_of(&call.terms, 0, h, l, scratch));
        else
            PyErr_NoMemory();
    }
    free(scratch);
    release(&call);
    return answer;
}

static PyMethodDef methods[] = {
    {"profit", py_profit, METH_VARARGS, NULL},
    {"maximize", py_maximize, METH_VARARGS, NULL},
    {"profits", py_profits, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static int fill(PyObject *module) { return PyModule_AddIntConstant(module, "VERSION", VERSION); }

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)fill}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_compiled", .m_size = 0, .m_methods = methods, .m_slots = slots,
};

PyMODINIT_FUNC PyInit__compiled(void) { return PyModuleDef_Init(&definition); }
