# trap: padded positions carry label -100 and packed sequences differ in length: half of a batch has no loss
# floor: 0.9

"""Tag the kind of each token of Python source from its shape and the tokens around it."""

import inspect
import io
import json.decoder
import os
import random
import textwrap
import tokenize

import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

seed = int(os.environ.get("SEED", 0))
random.seed(seed)
torch.manual_seed(seed)

KEYWORDS = {
    "def",
    "class",
    "if",
    "else",
    "return",
    "for",
    "in",
    "while",
    "not",
    "and",
    "or",
    "import",
    "from",
    "try",
    "raise",
}
LABELS = {"call": 0, "attribute": 1, "keyword_argument": 2, "definition": 3, "other": 4}


def sentences(module):
    """Lists of (masked token, label): names become NAME, and the label says what the name does here."""
    tokens = list(tokenize.generate_tokens(io.StringIO(inspect.getsource(module)).readline))
    line, out = [], []
    for before, tok, after in zip(tokens, tokens[1:], tokens[2:]):
        if tok.type == tokenize.NEWLINE:
            if 4 <= len(line) <= 40:
                out.append(line)
            line = []
        elif tok.type in (tokenize.NAME, tokenize.OP, tokenize.NUMBER, tokenize.STRING):
            label = "other"
            if tok.type == tokenize.NAME and tok.string not in KEYWORDS:
                if before.string in ("def", "class"):
                    label = "definition"
                elif after.string == "(":
                    label = "call"
                elif before.string == ".":
                    label = "attribute"
                elif after.string == "=" and before.string in ("(", ","):
                    label = "keyword_argument"
            shown = tok.string if tok.type == tokenize.OP or tok.string in KEYWORDS else tokenize.tok_name[tok.type]
            line.append((shown, LABELS[label]))
    return out


data = sentences(textwrap) + sentences(inspect)[:900] + sentences(json.decoder)
random.shuffle(data)
vocab = {w: i + 1 for i, w in enumerate(sorted({w for s in data for w, _ in s}))}
encoded = [(torch.tensor([vocab[w] for w, _ in s]), torch.tensor([l for _, l in s])) for s in data]
cut = int(0.8 * len(encoded))
train, test = encoded[:cut], encoded[cut:]
print(len(train), "sentences,", len(vocab), "words")


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(len(vocab) + 1, 24, padding_idx=0)
        self.lstm = nn.LSTM(24, 24, bidirectional=True, batch_first=True)
        self.out = nn.Linear(48, len(LABELS))

    def forward(self, words, lengths):
        packed = pack_padded_sequence(self.embed(words), lengths, batch_first=True, enforce_sorted=False)
        hidden, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return self.out(hidden)


def collate(items):
    words, labels = zip(*items)
    lengths = torch.tensor([len(w) for w in words])
    return pad_sequence(words, True, 0), lengths, pad_sequence(labels, True, -100)


model = Tagger()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
criterion = nn.CrossEntropyLoss(ignore_index=-100)
for epoch in range(6):
    random.shuffle(train)
    total = 0.0
    for i in range(0, len(train), 16):
        words, lengths, labels = collate(train[i : i + 16])
        loss = criterion(model(words, lengths).flatten(0, 1), labels.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * 16 / len(train)
    print("epoch %d loss %.4f" % (epoch, total))

with torch.no_grad():
    words, lengths, labels = collate(test)
    predicted = model(words, lengths).argmax(-1)
    known = (labels != -100) & (labels != LABELS["other"])
    print("metric", (predicted == labels)[known].float().mean().item())
