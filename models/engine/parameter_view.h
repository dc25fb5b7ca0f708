// The flat parameter vector of a network, seen as the weights of its layers.
//
// A network lists its layers in a fixed order; each takes the next values of the flat vector (weights row-major, then
// biases). The same offsets serve the flat gradient sum. A layer may be used as often as one likes, and a matrix also
// by layers of other kinds (tied weights): what is shared is the range of the flat vector.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace synod::engine {

// A matrix of parameters, row-major from `offset`.
struct MatrixParameter {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t offset = 0;
};

// y = x W^T + b: weight [out, in], bias [out] when it has one.
struct LinearLayer {
  std::int64_t in = 0;
  std::int64_t out = 0;
  bool has_bias = true;
  std::int64_t weight_offset = 0;
  std::int64_t bias_offset = 0;

  MatrixParameter weight() const { return {out, in, weight_offset}; }
};

// y = sum over the active codes c of row c of a table [codes, out], + b: a Linear layer on one-hot columns that never
// builds the one-hots.
struct OneHotLinearLayer {
  std::int64_t codes = 0;
  std::int64_t out = 0;
  bool has_bias = true;
  std::int64_t table_offset = 0;
  std::int64_t bias_offset = 0;

  MatrixParameter table() const { return {codes, out, table_offset}; }
};

// y = row c of a table [codes, width], for one code a position.
struct EmbeddingLayer {
  std::int64_t codes = 0;
  std::int64_t width = 0;
  std::int64_t table_offset = 0;

  MatrixParameter table() const { return {codes, width, table_offset}; }
};

// Layer normalisation over the features of one row or position: y = gain * normalised(x) + shift.
// It never looks across rows.
struct NormLayer {
  std::int64_t features = 0;
  std::int64_t gain_offset = 0;
  std::int64_t shift_offset = 0;
};

// Normalisation over groups of channels and all positions of one row; gain and shift for each channel.
struct GroupNormLayer {
  std::int64_t groups = 0;
  std::int64_t channels = 0;
  std::int64_t gain_offset = 0;
  std::int64_t shift_offset = 0;
};

// y = x + b, the same b [features] for every row and position.
struct BiasLayer {
  std::int64_t features = 0;
  std::int64_t offset = 0;
};

// A parameter that the network may use in any differentiable way: every row reads a copy of its own.
struct BroadcastLayer {
  std::vector<std::int64_t> shape;
  std::int64_t size = 0;
  std::int64_t offset = 0;
};

// Row-major positions of a matrix that carry a parameter, ascending.
using MaskPositions = std::shared_ptr<const std::vector<std::int64_t>>;

// y = x (M o W)^T + b with a fixed 0/1 mask M. Only the values under the mask are parameters, in row-major order.
struct MaskedLinearLayer {
  std::int64_t in = 0;
  std::int64_t out = 0;
  bool has_bias = true;
  MaskPositions positions;
  std::int64_t values_offset = 0;
  std::int64_t bias_offset = 0;
};

// y = L U P x + b: P a fixed permutation, U upper triangular with the positive diagonal softplus(s) + 1e-3, L lower
// triangular with ones on its diagonal. log |det| is the sum of the logs of U's diagonal.
struct LuLinearLayer {
  std::vector<std::int64_t> permutation;  // (P x)[i] = x[permutation[i]]
  MaskedLinearLayer lower;                // strictly below the diagonal
  MaskedLinearLayer upper;                // strictly above it
  BroadcastLayer diagonal;                // s
  BiasLayer bias;
};

// y = gain * (x V^T) + shift with the rows of V brought to length one.
struct WeightNormLayer {
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t direction_offset = 0;  // V [out, in]
  std::int64_t gain_offset = 0;
  std::int64_t shift_offset = 0;

  MatrixParameter direction() const { return {out, in, direction_offset}; }
};

// Square kernels; the weight is [out, in * kernel * kernel].
struct Conv2dLayer {
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t kernel = 1;
  std::int64_t stride = 1;
  std::int64_t padding = 0;
  bool has_bias = true;
  std::int64_t weight_offset = 0;
  std::int64_t bias_offset = 0;

  MatrixParameter weight() const { return {out, in * kernel * kernel, weight_offset}; }
};

// Self-attention over the positions of one row: queries, keys and values of all heads from one Linear layer.
struct AttentionLayer {
  std::int64_t width = 0;
  std::int64_t heads = 1;
  LinearLayer projection;  // width -> 3 width
  LinearLayer output;      // width -> width
};

// The range of the flat vector that one layer owns. `neurons`: how many parts it has where each output neuron is
// clipped by itself (weight row and bias, gain and shift).
struct ParameterRange {
  std::string name;
  std::int64_t offset = 0;
  std::int64_t size = 0;
  std::int64_t neurons = 1;
};

// Hands out offsets, in order, and remembers the named shape of every part.
class ParameterBuilder {
 public:
  struct Part {
    std::string name;
    std::int64_t offset = 0;
    std::vector<std::int64_t> shape;
  };
  struct ConvOptions {
    std::int64_t kernel = 3;
    std::int64_t stride = 1;
    std::int64_t padding = 1;
    bool has_bias = true;
  };

  LinearLayer Linear(const std::string& name, std::int64_t in, std::int64_t out, bool has_bias = true);
  OneHotLinearLayer OneHotLinear(const std::string& name, std::int64_t codes, std::int64_t out, bool has_bias = true);
  EmbeddingLayer Embedding(const std::string& name, std::int64_t codes, std::int64_t width);
  NormLayer Norm(const std::string& name, std::int64_t features);
  GroupNormLayer GroupNorm(const std::string& name, std::int64_t groups, std::int64_t channels);
  BiasLayer Bias(const std::string& name, std::int64_t features);
  BroadcastLayer Broadcast(const std::string& name, std::vector<std::int64_t> shape);
  // `mask` has out * in values, row-major; at least one is true.
  MaskedLinearLayer MaskedLinear(const std::string& name, std::int64_t in, std::int64_t out,
                                 const std::vector<bool>& mask, bool has_bias = true);
  // `permutation`: public, of 0..features-1; features at least 2.
  LuLinearLayer LuLinear(const std::string& name, std::vector<std::int64_t> permutation);
  WeightNormLayer WeightNorm(const std::string& name, std::int64_t in, std::int64_t out);
  Conv2dLayer Conv2d(const std::string& name, std::int64_t in, std::int64_t out, const ConvOptions& options);
  AttentionLayer Attention(const std::string& name, std::int64_t width, std::int64_t heads);

  std::int64_t size() const { return size_; }
  const std::vector<Part>& parts() const { return parts_; }
  // One entry a layer, in order, without gaps.
  const std::vector<ParameterRange>& layers() const { return layers_; }

 private:
  std::int64_t Take(const std::string& name, std::vector<std::int64_t> shape);
  void EndLayer(const std::string& name, std::int64_t neurons);

  std::int64_t size_ = 0;
  std::vector<Part> parts_;
  std::vector<ParameterRange> layers_;
};

}  // namespace synod::engine
