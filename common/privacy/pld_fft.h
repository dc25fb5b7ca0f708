// Real Fourier transforms in double precision, with a bound of their rounding error. Not for use by several threads at
// once: an object keeps scratch space.
#pragma once

#include <complex>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace synod {

class RealFft {
 public:
  // `size` from GoodSize.
  explicit RealFft(std::size_t size);
  ~RealFft();
  RealFft(const RealFft&) = delete;
  RealFft& operator=(const RealFft&) = delete;

  // The smallest size of at least `at_least` that transforms fast (2^k or 3 * 2^k).
  static std::size_t GoodSize(std::size_t at_least);

  std::size_t size() const { return size_; }
  std::size_t spectrum_size() const { return size_ / 2 + 1; }

  std::vector<std::complex<double>> Forward(const std::vector<double>& values) const;
  // With the factor 1 / size.
  std::vector<double> Inverse(const std::vector<std::complex<double>>& spectrum) const;

  // Every output of a transform is off by at most RelativeError() times the sum of the moduli of its inputs: each of
  // log2(size) levels multiplies by a rounded root of unity (error below 4.5 u) and adds (u), u = 2^-53; two more
  // levels for the real packing. Taken twice as large.
  double RelativeError() const;

 private:
  struct Backend;
  std::size_t size_;
  std::unique_ptr<Backend> backend_;
};

}  // namespace synod
