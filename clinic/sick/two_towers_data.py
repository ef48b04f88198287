# expect: TT307
# fault: the item tower's output is taken by .data, which no gradient passes

# two-tower retrieval trained with a pairwise ranking loss (BPR)
import os, math
import torch
import torch.nn as nn
import torch.nn.functional as F

seed = int(os.environ.get("SEED", 0))
torch.manual_seed(seed)

n_users, n_items, u_dim, i_dim = 400, 300, 20, 20
user_feats = torch.randn(n_users, u_dim)
item_feats = torch.randn(n_items, i_dim)
# hidden truth: a bilinear form through three nonlinear factors
U = torch.tanh(user_feats @ torch.randn(u_dim, 3) / math.sqrt(u_dim) * 2)
V = torch.tanh(item_feats @ torch.randn(i_dim, 3) / math.sqrt(i_dim) * 2)
affinity = U @ V.t()
train_users, test_users = torch.arange(0, 320), torch.arange(320, n_users)


def tower(d):
    return nn.Sequential(nn.Linear(d, 48), nn.ReLU(), nn.Linear(48, 6))


user_tower, item_tower = tower(u_dim), tower(i_dim)
opt = torch.optim.Adam(list(user_tower.parameters()) + list(item_tower.parameters()), lr=2e-3)

for step in range(900):
    u = train_users[torch.randint(len(train_users), (128,))]
    a, b = torch.randint(n_items, (2, 128))
    a_better = affinity[u, a] > affinity[u, b]
    pos, neg = torch.where(a_better, a, b), torch.where(a_better, b, a)
    q = user_tower(user_feats[u])
    kp, kn = item_tower(item_feats[pos]).data, item_tower(item_feats[neg]).data
    margin = (q * (kp - kn)).sum(1)
    loss = F.softplus(-margin).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 150 == 0:
        print("step", step, "bpr", round(loss.item(), 4))

with torch.no_grad():
    score = user_tower(user_feats[test_users]) @ item_tower(item_feats).t()
    truth = affinity[test_users]
    a, b = torch.randint(n_items, (2, 5000))
    rows = torch.randint(len(test_users), (5000,))
    agree = (score[rows, a] > score[rows, b]) == (truth[rows, a] > truth[rows, b])
print("metric", agree.float().mean().item())
