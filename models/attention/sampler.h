// Draws rows from a trained network, plain C++ on one thread: the token and the key of every cell of every column are
// worked out once, so that a column costs its attention, one hidden layer and its own decoder. Same bytes for the same
// inputs on one kind of machine. Threads: Draw is const and may run in many threads.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <span>
#include <vector>

#include "common/query/public_random.h"
#include "models/attention/column_code.h"
#include "models/attention/shape.h"

namespace synod::attention {

// A column whose cell is given rather than drawn.
struct GivenCell {
  std::size_t column = 0;
  std::size_t cell = 0;
};

class Sampler {
 public:
  // `offsets`: one a slot, added to the logits (see Calibrate); may be all zero. `shape` and `codes` must outlive it.
  Sampler(const Shape& shape, const Options& options, const std::vector<ColumnCode>& codes,
          std::span<const float> parameters, std::vector<float> offsets);

  // Room for one row at a time; one a thread.
  struct Workspace {
    std::vector<std::size_t> order;
    std::vector<std::size_t> looked_at;  // tokens among tokens_: those that may be looked at
    Eigen::VectorXf latent_token;
    Eigen::VectorXf latent_key;
    Eigen::VectorXf mixed;
    Eigen::VectorXf hidden;
    Eigen::VectorXf logits;
    std::vector<float> scores;
  };
  Workspace MakeWorkspace() const;

  // One row of cells. `given` columns are revealed from the start: only without a latent vector, one by one (our own
  // duty).
  void DrawRow(PublicRandom& random, std::span<const GivenCell> given, Workspace& work,
               std::span<std::uint16_t> cells) const;

  // Shifts the logits until the one-way shares of what is drawn agree with the noisy shares: fixed-point rounds on
  // `rows` rows each. Post-processing: it reads noisy shares and the model's own rows.
  void Calibrate(std::uint64_t seed, std::uint32_t rounds, std::size_t rows);

  const std::vector<float>& offsets() const { return offsets_; }

 private:
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  void DrawLatent(PublicRandom& random, Workspace& work) const;
  // hidden = tanh(W (query + found) + b) of the column's query.
  void Look(std::size_t column, Workspace& work) const;
  std::size_t DrawComponent(std::size_t column, double uniform, Workspace& work) const;
  std::vector<double> DrawnShares(std::uint64_t seed, std::uint64_t stream, std::size_t rows) const;

  const Shape& shape_;
  const std::vector<ColumnCode>& codes_;
  bool together_;
  std::vector<std::size_t> first_cell_;  // columns + 1 entries: where a column's cells begin in the tables below
  RowMajor tokens_;                      // [cells of all columns][width]
  RowMajor keys_;                        // the same
  RowMajor latent_;                      // [width][latent]
  Eigen::VectorXf latent_bias_;
  RowMajor key_;                   // [width][width]
  RowMajor places_;                // [places][width]
  RowMajor queries_;               // [places][width]
  RowMajor hidden_;                // [hidden][width]
  RowMajor hidden_queries_;        // [columns][hidden]: W query + b
  RowMajor heads_;                 // [slots][hidden]
  std::vector<float> logit_bias_;  // [slots]: log of the noisy weight + bias
  std::vector<float> offsets_;     // [slots]
};

}  // namespace synod::attention
