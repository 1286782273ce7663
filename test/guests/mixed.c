/* A bit of everything that libc and compilers do, for tests of the link step: sorting through a pointer to a
 * function, printf, recursion, floating point, allocation, loops of all kinds. Prints what it computed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
static int cmp(const void*a,const void*b){return *(int*)a-*(int*)b;}
int fib(int n){return n<2?n:fib(n-1)+fib(n-2);}
int ack(int m,int n){return m==0?n+1:n==0?ack(m-1,1):ack(m-1,ack(m,n-1));}
double mat(int n){double*a=malloc(8*n*n),*b=malloc(8*n*n),*c=malloc(8*n*n);for(int i=0;i<n*n;i++){a[i]=i%7;b[i]=i%5;}
 for(int i=0;i<n;i++)for(int j=0;j<n;j++){double s=0;for(int k=0;k<n;k++)s+=a[i*n+k]*b[k*n+j];c[i*n+j]=s;} double t=0;for(int i=0;i<n*n;i++)t+=c[i]*(i%3);free(a);free(b);free(c);return t;}
unsigned sieve(int n){char*p=calloc(n+1,1);unsigned c=0;for(int i=2;i<=n;i++){if(!p[i]){c++;for(long long j=(long long)i*i;j<=n;j+=i)p[j]=1;}}free(p);return c;}
int collatz(int n){int best=0;for(int i=1;i<n;i++){long long x=i;int s=0;while(x!=1){x=x&1?3*x+1:x/2;s++;}if(s>best)best=s;}return best;}
int main(int argc,char**argv){
 int N=500;int*v=malloc(N*4);unsigned s=12345;for(int i=0;i<N;i++){s=s*1664525+1013904223;v[i]=s>>8;}
 qsort(v,N,4,cmp);unsigned h=0;for(int i=0;i<N;i++)h=h*31+v[i];printf("qsort %u\n",h);
 printf("fib %d ack %d\n",fib(15),ack(2,5));
 printf("mat %.3f sieve %u collatz %d\n",mat(17),sieve(3000),collatz(300));
 char buf[200];snprintf(buf,200,"%s|%08x|%-10.4f|%e|%lld|%c","hello",h,3.14159265,1.5e-9,123456789012345LL,'x');puts(buf);
 double d=strtod("2.718281828459045",0);printf("%.17g %g %g\n",d,sin(d),pow(d,3.3));
 char*p=malloc(100000);for(int i=0;i<100000;i++)p[i]=i*7;unsigned c=0;for(int i=0;i<100000;i++)c=c*33+p[i];printf("%u %zu\n",c,strlen(buf));
 return argc+6;}
