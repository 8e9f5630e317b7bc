// Simulated kTransformers: stands for llamafile's sgemm.
bool llamafile_sgemm(long m, long n, long k, const void* A, long lda, const void* B, long ldb, void* C, long ldc);
