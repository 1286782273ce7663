/* The grid solver with 512 x 512 points, and about as many operations as the paper's: laplace.c. */
#define GRID 512
#define SWEEPS 320
#include "laplace.c"
