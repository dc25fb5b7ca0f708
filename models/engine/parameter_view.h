// The flat parameter vector of a network, seen as the weights of its layers.
//
// A network lists its layers in a fixed order; each takes the next values of the flat vector (weights row-major, then
// biases). The same offsets serve the flat gradient sum.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace synod::engine {

// y = x W^T + b: weight [out, in], bias [out] when it has one.
struct LinearLayer {
  std::int64_t in = 0;
  std::int64_t out = 0;
  bool has_bias = true;
  std::int64_t weight_offset = 0;
  std::int64_t bias_offset = 0;
};

// y = sum over the active codes c of row c of a table [codes, out], + b: a Linear layer on one-hot columns that never
// builds the one-hots.
struct OneHotLinearLayer {
  std::int64_t codes = 0;
  std::int64_t out = 0;
  bool has_bias = true;
  std::int64_t table_offset = 0;
  std::int64_t bias_offset = 0;
};

// Layer normalisation over the features of one row (GroupNorm with one group): y = gain * normalised(x) + shift.
// It never looks across rows.
struct NormLayer {
  std::int64_t features = 0;
  std::int64_t gain_offset = 0;
  std::int64_t shift_offset = 0;
};

// Hands out offsets, in order, and remembers the named shape of every part.
class ParameterBuilder {
 public:
  struct Part {
    std::string name;
    std::int64_t offset = 0;
    std::vector<std::int64_t> shape;
  };

  LinearLayer Linear(const std::string& name, std::int64_t in, std::int64_t out, bool has_bias = true);
  OneHotLinearLayer OneHotLinear(const std::string& name, std::int64_t codes, std::int64_t out, bool has_bias = true);
  NormLayer Norm(const std::string& name, std::int64_t features);

  std::int64_t size() const { return size_; }
  const std::vector<Part>& parts() const { return parts_; }

 private:
  std::int64_t Take(const std::string& name, std::vector<std::int64_t> shape);
  std::int64_t size_ = 0;
  std::vector<Part> parts_;
};

}  // namespace synod::engine
