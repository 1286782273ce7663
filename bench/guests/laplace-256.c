/* The grid solver with 256 x 256 points, and about as many operations as the paper's: laplace.c. */
#define GRID 256
#define SWEEPS 1250
#include "laplace.c"
