/*
 * Opt: a neural network learns to classify vectors, by conjugate gradients (the paper's section 4.4).
 *
 *     upvm run guest/examples/opt.c --ulps 3 [-- --size 300000] [--iterations 25] [--seed 1] [--no-check]
 *
 * Shows one master and slaves with much data: --size is the bytes of all exemplars together (the paper has 0.3 to
 * 2.9 MB), in equal parts on the slaves. For each net that the master sends out, every slave returns the error on its
 * part and the error's gradient; the master adds them up in the slaves' order and takes the next step. The exemplars
 * come from the seed. At the end the master trains once more alone, adding up the same parts in the same order: the exit
 * code is 0 if both nets are the same to the last bit. One ULP is master without slaves.
 *
 * Nothing but + - * / and comparisons is used (no exp, no tanh), so the AssemblyScript program computes the same bits.
 */
#include <math.h>
#include <pvm3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { INPUTS = 32, HIDDEN = 12, CLASSES = 6 };
enum {
  EXEMPLAR_BYTES = INPUTS * 4 + 4, /* INPUTS floats and its class, an int */
  /* For each hidden and each output node one weight for each of its inputs, and a bias. */
  OUTPUT_AT = (INPUTS + 1) * HIDDEN,
  WEIGHTS = OUTPUT_AT + (HIDDEN + 1) * CLASSES
};
enum { NET = 1, GRADIENT = 2, STOP = 3 };

static void *room(size_t bytes) {
  void *at = calloc(1, bytes > 0 ? bytes : 1);
  if (at == NULL) {
    fprintf(stderr, "no memory\n");
    exit(2);
  }
  return at;
}

/* ---- Exemplars -------------------------------------------------------------------------------------------------- */

/* Marsaglia's xorshift: 32 bits of state. */
static uint32_t next_random(uint32_t *state) {
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return *state = x;
}

static uint32_t random_from(uint32_t state) {
  if (state == 0) state = 1;
  for (int i = 0; i < 4; i++) next_random(&state);
  return state;
}

/* -1 … 1 */
static double uniform(uint32_t *state) {
  return (double)(next_random(state) >> 8) / 8388608.0 - 1.0;
}

struct exemplars {
  int count;
  float *inputs;
  int *classes;
};

/* Exemplars from … to - 1 of those that belong to the seed. */
static struct exemplars exemplars_of(uint32_t seed, int from, int to) {
  double centers[CLASSES * INPUTS];
  uint32_t random = random_from(seed * 747796405u + 1);
  for (int i = 0; i < CLASSES * INPUTS; i++) centers[i] = uniform(&random) * 0.8;
  struct exemplars made = {to - from, room((to - from) * INPUTS * sizeof(float)), room((to - from) * sizeof(int))};
  for (int i = from; i < to; i++) {
    uint32_t own = random_from((seed + (uint32_t)i * 2654435761u) ^ 0x9e3779b9u);
    int which = (int)(next_random(&own) % CLASSES);
    made.classes[i - from] = which;
    for (int k = 0; k < INPUTS; k++) {
      double value = centers[which * INPUTS + k] + uniform(&own);
      made.inputs[(i - from) * INPUTS + k] = (float)(value + uniform(&own));
    }
  }
  return made;
}

static struct exemplars part_of(int count, int parts, int index, uint32_t seed) {
  return exemplars_of(seed, (int)((int64_t)count * index / parts), (int)((int64_t)count * (index + 1) / parts));
}

/* ---- The net ---------------------------------------------------------------------------------------------------- */

/* What an evaluation of a net gives. */
struct result {
  double error; /* half the sum of the squared differences between outputs and targets */
  int hits;     /* how many exemplars are classified rightly */
  double gradient[WEIGHTS];
};

static void add(struct result *sum, const struct result *part) {
  sum->error += part->error;
  sum->hits += part->hits;
  for (int i = 0; i < WEIGHTS; i++) sum->gradient[i] += part->gradient[i];
}

/* One exemplar forwards and backwards through the net. */
static void evaluate_one(const double *net, const float *x, int class, struct result *result) {
  double out[HIDDEN], slope[HIDDEN], back[HIDDEN];
  for (int h = 0; h < HIDDEN; h++) {
    const double *w = net + h * (INPUTS + 1);
    double sum = w[INPUTS];
    for (int k = 0; k < INPUTS; k++) sum += w[k] * (double)x[k];
    double spread = 1.0 + fabs(sum);
    out[h] = sum / spread;
    slope[h] = 1.0 / (spread * spread);
    back[h] = 0;
  }
  int best = 0;
  double best_sum = 0;
  for (int o = 0; o < CLASSES; o++) {
    const double *w = net + OUTPUT_AT + o * (HIDDEN + 1);
    double *g = result->gradient + OUTPUT_AT + o * (HIDDEN + 1);
    double sum = w[HIDDEN];
    for (int h = 0; h < HIDDEN; h++) sum += w[h] * out[h];
    if (o == 0 || sum > best_sum) {
      best = o;
      best_sum = sum;
    }
    double spread = 1.0 + fabs(sum);
    double difference = sum / spread - (o == class ? 0.8 : -0.8);
    result->error += 0.5 * difference * difference;
    double delta = difference / (spread * spread);
    for (int h = 0; h < HIDDEN; h++) {
      g[h] += delta * out[h];
      back[h] += delta * w[h];
    }
    g[HIDDEN] += delta;
  }
  if (best == class) result->hits++;
  for (int h = 0; h < HIDDEN; h++) {
    double *g = result->gradient + h * (INPUTS + 1);
    double delta = back[h] * slope[h];
    for (int k = 0; k < INPUTS; k++) g[k] += delta * (double)x[k];
    g[INPUTS] += delta;
  }
}

static void evaluate_part(const double *net, const struct exemplars *part, struct result *result) {
  memset(result, 0, sizeof *result);
  for (int e = 0; e < part->count; e++) {
    evaluate_one(net, part->inputs + e * INPUTS, part->classes[e], result);
  }
}

/* ---- Where a net is evaluated ----------------------------------------------------------------------------------- */

/* Either all parts here, one after another (parts), or each part by a slave: tids[1], tids[2], … (tids). */
struct evaluator {
  void (*evaluate)(const struct evaluator *self, const double *net, struct result *sum);
  const struct exemplars *parts;
  const int *tids;
  int count; /* of parts, or of tids */
};

static void alone(const struct evaluator *self, const double *net, struct result *sum) {
  struct result part;
  memset(sum, 0, sizeof *sum);
  for (int i = 0; i < self->count; i++) {
    evaluate_part(net, &self->parts[i], &part);
    add(sum, &part);
  }
}

static void by_slaves(const struct evaluator *self, const double *net, struct result *sum) {
  struct result part;
  memset(sum, 0, sizeof *sum);
  pvm_initsend(PvmDataDefault);
  pvm_pkdouble(net, WEIGHTS, 1);
  pvm_mcast(self->tids, self->count, NET);
  for (int i = 1; i < self->count; i++) {
    pvm_recv(self->tids[i], GRADIENT);
    pvm_upkdouble(&part.error, 1, 1);
    pvm_upkint(&part.hits, 1, 1);
    pvm_upkdouble(part.gradient, WEIGHTS, 1);
    add(sum, &part);
  }
}

/* A slave evaluates the nets that come until it is told to stop. */
static void serve(int master, const struct exemplars *part) {
  static double net[WEIGHTS];
  static struct result result;
  for (;;) {
    int length, tag, tid;
    pvm_bufinfo(pvm_recv(master, -1), &length, &tag, &tid);
    if (tag == STOP) return;
    pvm_upkdouble(net, WEIGHTS, 1);
    evaluate_part(net, part, &result);
    pvm_initsend(PvmDataDefault);
    pvm_pkdouble(&result.error, 1, 1);
    pvm_pkint(&result.hits, 1, 1);
    pvm_pkdouble(result.gradient, WEIGHTS, 1);
    pvm_send(master, GRADIENT);
  }
}

/* ---- Training --------------------------------------------------------------------------------------------------- */

static double dot(const double *a, const double *b) {
  double sum = 0;
  for (int i = 0; i < WEIGHTS; i++) sum += a[i] * b[i];
  return sum;
}

struct training {
  double net[WEIGHTS];
  int evaluations, iterations;
  double first_error;
  struct result last;
};

enum { HALVINGS = 20 };

/* Goes along `direction` until the error falls enough (Armijo), halving the step. Returns how often it was halved. */
static int search(struct training *t, const struct evaluator *by, const double *direction, double slope, double *step,
                  double *tried, struct result *result) {
  int halvings = 0;
  for (; halvings < HALVINGS; halvings++) {
    for (int i = 0; i < WEIGHTS; i++) tried[i] = t->net[i] + *step * direction[i];
    by->evaluate(by, tried, result);
    t->evaluations++;
    if (result->error <= t->last.error + 0.0001 * *step * slope) break;
    *step = *step * 0.5;
  }
  return halvings;
}

/* Conjugate gradients after Polak and Ribière. */
static struct training *train(const struct evaluator *by, int count, uint32_t seed, int iterations) {
  struct training *t = room(sizeof *t);
  struct result *now = &t->last, *result = room(sizeof *result);
  static double direction[WEIGHTS], tried[WEIGHTS];
  uint32_t random = random_from(seed * 2891336453u + 7);
  for (int i = 0; i < WEIGHTS; i++) t->net[i] = uniform(&random) * 0.3;
  by->evaluate(by, t->net, now);
  t->evaluations = 1;
  t->first_error = now->error;
  for (int i = 0; i < WEIGHTS; i++) direction[i] = -now->gradient[i];
  double step = 4.0 / (double)count;
  while (t->iterations < iterations) {
    double slope = dot(direction, now->gradient);
    if (slope >= 0) {
      for (int i = 0; i < WEIGHTS; i++) direction[i] = -now->gradient[i];
      slope = -dot(now->gradient, now->gradient);
    }
    int halvings = search(t, by, direction, slope, &step, tried, result);
    if (halvings == HALVINGS) break;
    double change = 0;
    for (int i = 0; i < WEIGHTS; i++) change += result->gradient[i] * (result->gradient[i] - now->gradient[i]);
    double beta = fmax(0, change / dot(now->gradient, now->gradient));
    for (int i = 0; i < WEIGHTS; i++) direction[i] = beta * direction[i] - result->gradient[i];
    if (halvings == 0) step = step * 2.0;
    memcpy(t->net, tried, sizeof tried);
    t->iterations++;
    *now = *result;
  }
  free(result);
  return t;
}

/* FNV-1a over the bits of a net: two nets print the same only if they are the same. */
static uint32_t fingerprint(const double *net) {
  uint32_t hash = 2166136261u;
  const unsigned char *at = (const unsigned char *)net;
  for (int i = 0; i < WEIGHTS * 8; i++) hash = (hash ^ at[i]) * 16777619u;
  return hash;
}

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static int has(int argc, char **argv, const char *name) {
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], name) == 0) return 1;
  }
  return 0;
}

static int option(int argc, char **argv, const char *name, int otherwise) {
  for (int i = 1; i + 1 < argc; i++) {
    if (strcmp(argv[i], name) == 0) return atoi(argv[i + 1]);
  }
  return otherwise;
}

/* The master once more, without slaves. Returns whether the result is the same. */
static int same_alone(const struct training *done, int count, int parts, uint32_t seed, int iterations) {
  struct exemplars *all = room(parts * sizeof *all);
  for (int i = 0; i < parts; i++) all[i] = part_of(count, parts, i, seed);
  struct evaluator by = {alone, all, NULL, parts};
  struct training *again = train(&by, count, seed, iterations);
  return fingerprint(again->net) == fingerprint(done->net) && again->last.error == done->last.error;
}

int main(int argc, char **argv) {
  int *tids;
  int ulps = pvm_siblings(&tids);
  int me = pvm_mytid(), index = 0;
  while (tids[index] != me) index++;
  int slaves = ulps - 1;
  int size = option(argc, argv, "--size", 300000);
  uint32_t seed = (uint32_t)option(argc, argv, "--seed", 1);
  int iterations = option(argc, argv, "--iterations", 25);
  int count = size / EXEMPLAR_BYTES;
  int parts = slaves > 0 ? slaves : 1;
  if (count < 1) {
    if (index == 0) fprintf(stderr, "--size is at least %d bytes, one exemplar\n", EXEMPLAR_BYTES);
    return 2;
  }
  if (index > 0) {
    struct exemplars part = part_of(count, parts, index - 1, seed);
    serve(tids[0], &part);
    return 0;
  }

  double start = milliseconds();
  struct exemplars own = {0, NULL, NULL};
  if (slaves == 0) own = part_of(count, 1, 0, seed);
  struct evaluator by_own = {alone, &own, NULL, 1}, by_others = {by_slaves, NULL, tids, ulps};
  struct training *t = train(slaves == 0 ? &by_own : &by_others, count, seed, iterations);
  fprintf(stderr, "%.1f ms\n", milliseconds() - start);
  pvm_initsend(PvmDataDefault);
  pvm_mcast(tids, ulps, STOP);

  double before = t->first_error / count, after = t->last.error / count;
  printf("%d exemplars in %d bytes, %d slaves\n", count, size, slaves);
  printf("%d iterations, %d evaluations: error %.6f -> %.6f\n", t->iterations, t->evaluations, before, after);
  printf("%.1f %% classified rightly, net %x\n", 100.0 * t->last.hits / count, fingerprint(t->net));
  if (has(argc, argv, "--no-check")) return 0;

  int right = same_alone(t, count, parts, seed, iterations);
  printf("%s\n", right ? "the same as training alone, right" : "not the same as training alone, WRONG");
  return right ? 0 : 1;
}
