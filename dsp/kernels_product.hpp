#pragma once
/// Matrix products and layers of the vector instruction sets, in a file of their own for their
/// length.

#include "dsp/kernels.hpp"

namespace qylon::dsp {

void add_product_avx2(const Product& product) noexcept;
void add_product_avx512(const Product& product) noexcept;
void rectify_avx2(float* x, const float* scale, const float* shift, std::size_t count) noexcept;

}  // namespace qylon::dsp
