#include "common/privacy/pld_fft.h"

#include <cmath>
#include <unsupported/Eigen/FFT>

#include "common/core/check.h"

namespace synod {

struct RealFft::Backend {
  Eigen::FFT<double> transform;
};

RealFft::RealFft(std::size_t size) : size_(size), backend_(std::make_unique<Backend>()) {
  SYNOD_CHECK(size >= 16 && size == GoodSize(size), "a transform size comes from GoodSize");
  backend_->transform.SetFlag(Eigen::FFT<double>::HalfSpectrum);
}

RealFft::~RealFft() = default;

std::size_t RealFft::GoodSize(std::size_t at_least) {
  std::size_t size = 16;
  while (size < at_least) {
    if (size + size / 2 >= at_least) return size + size / 2;
    size *= 2;
  }
  return size;
}

std::vector<std::complex<double>> RealFft::Forward(const std::vector<double>& values) const {
  SYNOD_CHECK(values.size() == size_, "a transform gets as many values as its size");
  std::vector<std::complex<double>> spectrum(spectrum_size());
  backend_->transform.fwd(spectrum.data(), values.data(), static_cast<Eigen::Index>(size_));
  return spectrum;
}

std::vector<double> RealFft::Inverse(const std::vector<std::complex<double>>& spectrum) const {
  SYNOD_CHECK(spectrum.size() == spectrum_size(), "an inverse transform gets half a spectrum");
  std::vector<double> values(size_);
  backend_->transform.inv(values.data(), spectrum.data(), static_cast<Eigen::Index>(size_));
  return values;
}

double RealFft::RelativeError() const {
  return 2.0 * 5.5 * 0x1p-53 * (std::log2(static_cast<double>(size_)) + 2.0);
}

}  // namespace synod
