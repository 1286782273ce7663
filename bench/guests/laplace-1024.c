/* The grid solver with 1024 x 1024 points, and about as many operations as the paper's: laplace.c. */
#define GRID 1024
#define SWEEPS 80
#include "laplace.c"
