/*
 * Counts the words of a text, in C++: the first ULP reads the file and deals out its lines, all count, and the first one
 * adds up and writes the most frequent ones.
 *
 *     upvm run guest/examples/words.cc --ulps 8 --dir data --dir out -- data/text.txt out/words.txt
 *
 * It checks itself: the counts must add up to the words that were dealt out.
 */
#include <pvm3.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

namespace {

enum Tag { Lines = 1, Counts = 2 };
using Counted = std::map<std::string, int>;

void send(const std::string &text, int tid, int tag) {
  pvm_initsend(PvmDataDefault);
  int bytes = static_cast<int>(text.size());
  pvm_pkint(&bytes, 1, 1);
  pvm_pkbyte(const_cast<char *>(text.data()), bytes, 1);
  pvm_send(tid, tag);
}

std::string receive(int tid, int tag) {
  pvm_recv(tid, tag);
  int bytes;
  pvm_upkint(&bytes, 1, 1);
  std::string text(bytes, '\0');
  pvm_upkbyte(text.data(), bytes, 1);
  return text;
}

Counted count(const std::string &text) {
  Counted counted;
  for (size_t at = 0, end; (at = text.find_first_not_of(" \t\n", at)) != std::string::npos; at = end) {
    end = std::min(text.find_first_of(" \t\n", at), text.size());
    counted[text.substr(at, end - at)]++;
  }
  return counted;
}

/* "count word" a line. */
std::string list(const std::vector<std::pair<std::string, int>> &words) {
  std::string text;
  for (const auto &[word, times] : words) text += std::to_string(times) + ' ' + word + '\n';
  return text;
}

/* Lines of a file, dealt out to `shares`. */
bool deal(const char *from, std::vector<std::string> &shares) {
  std::FILE *in = std::fopen(from, "r");
  if (in == nullptr) return false;
  size_t share = 0;
  for (int c; (c = std::fgetc(in)) != EOF;) {
    shares[share] += static_cast<char>(c);
    if (c == '\n') share = (share + 1) % shares.size();
  }
  bool read = !std::ferror(in);
  return std::fclose(in) == 0 && read;
}

bool write(const char *to, const std::string &text) {
  std::FILE *out = std::fopen(to, "w");
  if (out == nullptr) return false;
  bool written = std::fwrite(text.data(), 1, text.size(), out) == text.size();
  return std::fclose(out) == 0 && written;
}

int lead(const std::vector<int> &tids, const char *from, const char *to) {
  std::vector<std::string> shares(tids.size());
  if (!deal(from, shares)) {
    std::perror(from);
    return 1;
  }
  int dealt = 0;
  for (size_t i = 0; i < tids.size(); i++) {
    for (const auto &[word, times] : count(shares[i])) dealt += times;
    if (i > 0) send(shares[i], tids[i], Lines);
  }
  Counted all = count(shares[0]);
  for (size_t i = 1; i < tids.size(); i++) {
    std::string rows = receive(tids[i], Counts);
    for (size_t at = 0, end; at < rows.size(); at = end + 1) {
      end = rows.find('\n', at);
      size_t gap = rows.find(' ', at);
      all[rows.substr(gap + 1, end - gap - 1)] += std::stoi(rows.substr(at, gap - at));
    }
  }
  std::vector<std::pair<std::string, int>> words(all.begin(), all.end());
  std::stable_sort(words.begin(), words.end(), [](auto &a, auto &b) { return a.second > b.second; });
  int sum = 0;
  for (const auto &[word, times] : words) sum += times;
  if (!write(to, list(words))) {
    std::perror(to);
    return 1;
  }
  std::printf("%d words, %zu different: %s\n", sum, words.size(), sum == dealt ? "right" : "WRONG");
  return sum == dealt ? 0 : 1;
}

} // namespace

int main(int argc, char **argv) {
  if (argc != 3) {
    std::fprintf(stderr, "words FROM TO\n");
    return 2;
  }
  int *list_of_tids;
  int ulps = pvm_siblings(&list_of_tids);
  std::vector<int> tids(list_of_tids, list_of_tids + ulps);
  if (pvm_mytid() == tids[0]) return lead(tids, argv[1], argv[2]);
  Counted counted = count(receive(tids[0], Lines));
  send(list({counted.begin(), counted.end()}), tids[0], Counts);
  return 0;
}
