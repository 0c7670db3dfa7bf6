/* What _missed of execution/fill_probability.py sums over its nodes, for bars with levels of their own.

   The names and formulas are those of that file, whose text derives them. Complex numbers are kept as two arrays, and
   every loop runs over the nodes of one bar: what a bar gets does not rest on the bars beside it. */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define VERSION 1 /* fill_probability.py takes no other: an old build beside new sources is not used */

typedef Py_ssize_t Count;

/* Hot loops are compiled for wide registers too; which are there is found out where the code runs. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__) && !defined(ONE_TARGET)
#define HOT __attribute__((target_clones("avx2", "default")))
#else
#define HOT
#endif
#if defined(__GNUC__) && !defined(__clang__)
#define APART _Pragma("GCC ivdep") /* the arrays of the loop do not overlap */
#else
#define APART
#endif

static const double ROUNDS = 6755399441055744.0; /* 1.5 * 2^52: what is added to it becomes a whole number */
static const double LEAST = -708.0, MOST = 709.0; /* powers of e that are normal numbers */

static inline uint64_t bits_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double of_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* exp(a), by Taylor's series on half the distance between two powers of two. */
static inline double exponential(double a) {
    a = a < LEAST ? LEAST : a;
    a = a > MOST ? MOST : a;
    double shifted = a * 1.4426950408889634 + ROUNDS, n = shifted - ROUNDS;
    double r = (a - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10; /* ln 2 in two parts */
    double p = 1.0 / 6227020800.0;
    p = p * r + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * (r * r) + r;
    return (p + 1.0) * of_bits((bits_of(shifted) + 1023) << 52);
}

/* exp(a + ib). The angle is reduced to an eighth of a turn by pi / 2 in three parts (Cody and Waite 1980). */
static inline void complex_exp(double a, double b, double *real, double *imaginary) {
    double size = exponential(a), shifted = b * 0.63661977236758134308 + ROUNDS, n = shifted - ROUNDS;
    double r = ((b - n * 1.57079632673412561417e+00) - n * 6.07710050630396597660e-11) - n * 2.02226624879595063154e-21;
    double z = r * r, s = 1.0 / 355687428096000.0, c = 1.0 / 20922789888000.0;
    s = s * z - 1.0 / 1307674368000.0;
    c = c * z - 1.0 / 87178291200.0;
    s = s * z + 1.0 / 6227020800.0;
    c = c * z + 1.0 / 479001600.0;
    s = s * z - 1.0 / 39916800.0;
    c = c * z - 1.0 / 3628800.0;
    s = s * z + 1.0 / 362880.0;
    c = c * z + 1.0 / 40320.0;
    s = s * z - 1.0 / 5040.0;
    c = c * z - 1.0 / 720.0;
    s = s * z + 1.0 / 120.0;
    c = c * z + 1.0 / 24.0;
    s = s * z - 1.0 / 6.0;
    c = c * z - 0.5;
    s = s * (z * r) + r;
    c = c * z + 1.0;
    uint64_t quarter = bits_of(shifted), odd = 0 - (quarter & 1); /* all bits, where sine and cosine change places */
    uint64_t sine = (bits_of(c) & odd) | (bits_of(s) & ~odd), cosine = (bits_of(s) & odd) | (bits_of(c) & ~odd);
    *real = size * of_bits(cosine ^ ((quarter + 1) & 2) << 62);
    *imaginary = size * of_bits(sine ^ (quarter & 2) << 62);
}

typedef struct {
    double *real, *imaginary; /* [nodes] */
} Complex;

/* exp(k * length) */
HOT static void powers(Complex out, Complex k, double length, Count nodes) {
    APART
    for (Count i = 0; i < nodes; i++)
        complex_exp(k.real[i] * length, k.imaginary[i] * length, &out.real[i], &out.imaginary[i]);
}

/* One number of a node. */
typedef struct {
    double re, im;
} Number;

static inline Number at(Complex a, Count i) { return (Number){a.real[i], a.imaginary[i]}; }

static inline Number times(Number a, Number b) {
    return (Number){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static inline Number less(double from, Number a) { return (Number){from - a.re, -a.im}; }

static inline Number over(Number a, Number b) {
    double size = b.re * b.re + b.im * b.im;
    return (Number){(a.re * b.re + a.im * b.im) / size, (a.im * b.re - a.re * b.im) / size};
}

/* What a bar has at its nodes, whatever the levels. */
typedef struct {
    Complex k, size, by_high, by_low, from_open, to_close, open_high, close_high, across, whole;
} Bar;

enum { ARRAYS = 10 };

/* The bar's own density, and the parts of what was missed that no level changes. */
HOT static double density(Bar bar, double start, double end, Count nodes) {
    double sum = 0.0;
    powers(bar.by_high, bar.k, -(2 - start + end), nodes);
    powers(bar.by_low, bar.k, -(2 + start - end), nodes);
    powers(bar.from_open, bar.k, -2 * start, nodes);
    powers(bar.to_close, bar.k, -2 * end, nodes);
    powers(bar.open_high, bar.k, -2 * (1 - start), nodes);
    powers(bar.close_high, bar.k, -2 * (1 - end), nodes);
    powers(bar.across, bar.k, 2 * (start - end), nodes);
    powers(bar.whole, bar.k, -2.0, nodes);
    APART
    for (Count i = 0; i < nodes; i++) {
        Number of_both = times(at(bar.size, i), at(bar.k, i));
        Number by_high = times(of_both, at(bar.by_high, i)), by_low = times(of_both, at(bar.by_low, i));
        Number low_first = times(times(by_low, less(1, at(bar.open_high, i))), less(1, at(bar.to_close, i)));
        Number high_first = times(times(by_high, less(1, at(bar.close_high, i))), less(1, at(bar.from_open, i)));
        Number both = {low_first.re + high_first.re, low_first.im + high_first.im};
        Number rest = less(1, at(bar.whole, i));
        sum += over(both, times(times(rest, rest), rest)).re;
        bar.by_high.real[i] = by_high.re;
        bar.by_high.imaginary[i] = by_high.im;
    }
    return sum;
}

/* The factors of one level: entry or closing, and the second term, which the other one's are multiplied with. */
HOT static void factors(double *out, Bar bar, int entry, double distance, Complex level, Count nodes) {
    powers(level, bar.k, -2 * distance, nodes);
    APART
    for (Count i = 0; i < nodes; i++) {
        Number x = at(level, i), one = less(1, x);
        Number rest = less(1, times(entry ? at(bar.open_high, i) : at(bar.to_close, i), x));
        Number found = over(entry ? times(at(bar.by_high, i), one) : one, times(rest, rest));
        Number second = times(found, entry ? times(at(bar.across, i), x) : x);
        out[i] = found.re;
        out[nodes + i] = entry ? -found.im : found.im;
        out[2 * nodes + i] = entry ? -second.re : second.re;
        out[3 * nodes + i] = second.im;
    }
}

/* The sum of products, as the real part of the products of complex numbers. */
HOT static double product(const double *a, const double *b, Count n) {
    double part[8] = {0};
    Count i = 0;
    for (; i + 8 <= n; i += 8)
        for (int j = 0; j < 8; j++) part[j] += a[i + j] * b[i + j];
    for (; i < n; i++) part[0] += a[i] * b[i];
    return ((part[0] + part[4]) + (part[2] + part[6])) + ((part[1] + part[5]) + (part[3] + part[7]));
}

/* missed(k, size, start, end, fall, rise, bars, nodes, lowers, uppers, found): float64 arrays `[bars, 2, nodes]` of
   real and imaginary parts, `[bars]`, `[bars, lowers]`, `[bars, uppers]` and `[bars, uppers, lowers]`. */
static PyObject *py_missed(PyObject *self, PyObject *arguments) {
    Py_buffer view[7] = {{0}};
    Count bars, nodes, lowers, uppers;
    PyObject *answer = NULL;
    double *memory = NULL;
    (void)self;
    if (!PyArg_ParseTuple(arguments, "y*y*y*y*y*y*nnnnw*", &view[0], &view[1], &view[2], &view[3], &view[4], &view[5],
                          &bars, &nodes, &lowers, &uppers, &view[6]))
        return NULL;
    const Count lengths[7] = {bars * 2 * nodes, bars * 2 * nodes, bars, bars, bars * lowers, bars * uppers,
                              bars * uppers * lowers};
    for (int i = 0; i < 7; i++)
        if (view[i].len != lengths[i] * (Count)sizeof(double)) {
            PyErr_Format(PyExc_ValueError, "array %d has %zd bytes, must have %zd numbers", i, view[i].len, lengths[i]);
            goto end;
        }
    memory = malloc(sizeof(double) * nodes * (2 * (ARRAYS + 1) + 4 * (lowers + uppers)) + 1);
    if (!memory) {
        PyErr_NoMemory();
        goto end;
    }
    double *entry = memory + 2 * (ARRAYS + 1) * nodes, *closing = entry + 4 * nodes * lowers;
    Complex part[ARRAYS + 1];
    for (int i = 0; i <= ARRAYS; i++) part[i] = (Complex){memory + 2 * i * nodes, memory + (2 * i + 1) * nodes};
    Bar bar = {part[0], part[1], part[2], part[3], part[4], part[5], part[6], part[7], part[8], part[9]};
    const double *start = view[2].buf, *end = view[3].buf, *fall = view[4].buf, *rise = view[5].buf;
    double *found = view[6].buf;
    Py_BEGIN_ALLOW_THREADS
    for (Count n = 0; n < bars; n++) {
        memcpy(bar.k.real, (double *)view[0].buf + 2 * nodes * n, 2 * nodes * sizeof(double));
        memcpy(bar.size.real, (double *)view[1].buf + 2 * nodes * n, 2 * nodes * sizeof(double));
        double whole = density(bar, start[n], end[n], nodes);
        for (Count q = 0; q < lowers; q++)
            factors(entry + 4 * nodes * q, bar, 1, fall[n * lowers + q], part[ARRAYS], nodes);
        for (Count p = 0; p < uppers; p++)
            factors(closing + 4 * nodes * p, bar, 0, rise[n * uppers + p], part[ARRAYS], nodes);
        for (Count p = 0; p < uppers; p++)
            for (Count q = 0; q < lowers; q++)
                *found++ = product(entry + 4 * nodes * q, closing + 4 * nodes * p, 4 * nodes) / whole;
    }
    Py_END_ALLOW_THREADS
    answer = Py_NewRef(Py_None);
end:
    free(memory);
    for (int i = 0; i < 7; i++) PyBuffer_Release(&view[i]);
    return answer;
}

static PyMethodDef methods[] = {{"missed", py_missed, METH_VARARGS, NULL}, {NULL, NULL, 0, NULL}};

static int add_version(PyObject *module) { return PyModule_AddIntConstant(module, "VERSION", VERSION); }

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)add_version}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_fill_probability", .m_size = 0, .m_methods = methods, .m_slots = slots,
};

PyMODINIT_FUNC PyInit__fill_probability(void) { return PyModuleDef_Init(&definition); }
