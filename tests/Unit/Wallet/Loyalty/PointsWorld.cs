using LocalPlus.Kernel;
using LocalPlus.Wallet;
using LocalPlus.Wallet.Points;
using LocalPlus.Wallet.Pools;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Tests.Unit.Wallet.Loyalty;

/// <summary>Members as the product has them beside the reference, with the books that the movements make.</summary>
internal sealed class PointsWorld
{
    private static readonly TierTerms Tiers = new(6, 3, [new("silver", 10), new("gold", 25)]);

    private readonly MemberId[] members = [NewMember(), NewMember(), NewMember()];
    private readonly ReferenceMember[] references = [new(), new(), new()];
    private readonly TierStanding[] standings = new TierStanding[3];
    private readonly PointsAccount[] accounts;
    private readonly Dictionary<(string Name, bool IsMoney), long> books = [];
    private readonly List<(int Member, EarningId Earning, int Left, DateTimeOffset At)> earnings = [];
    private readonly List<ReferenceRedemption> redemptions = [];
    private readonly NegativePolicy negative;
    private readonly MerchantId partner = new(Guid.CreateVersion7());
    private DateTimeOffset now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private int made;
    private int clock;

    public PointsWorld(NegativePolicy negative)
    {
        this.negative = negative;
        accounts = Array.ConvertAll(members, id => new PointsAccount(id, negative, [], 0, 0, NewLot));
    }

    public void Take(PointsModelTests.Planned step)
    {
        now = now.AddMinutes(1);
        var (at, next) = (step.Who, (step.Who + 1 + step.Pick % 2) % members.Length);
        var (account, reference) = (accounts[at], references[at]);
        switch (step.Act)
        {
            case PointsModelTests.Act.Earn:
                var earned = Earning(at, step);
                var origin = Origin(step, earned);
                Book(account.Earn(step.Points, origin, now));
                reference.Add(step.Points, earned, origin.ExpiresAt, ++clock);
                Qualify(at, earned, step.Points, now);
                break;
            case PointsModelTests.Act.Pend:
                var waiting = Earning(at, step);
                Book(account.Pend(step.Points));
                reference.Waiting[waiting] = step.Points;
                break;
            case PointsModelTests.Act.Release when reference.Waiting.Count > 0:
                var (due, left) = reference.Waiting.ElementAt(step.Pick % reference.Waiting.Count);
                var released = Origin(step with { Points = left }, due);
                Book(account.Release(left, released, now));
                reference.Waiting.Remove(due);
                reference.Add(left, due, released.ExpiresAt, ++clock);
                Qualify(at, due, left, earnings.Find(earning => earning.Earning == due).At);
                break;
            case PointsModelTests.Act.TakeBack:
                TakeBack(at, step);
                break;
            case PointsModelTests.Act.Redeem:
                Try(account.Redeem(step.Points), step.Points <= reference.Points.Count);
                if (step.Points <= reference.Points.Count)
                {
                    reference.Remove(step.Points);
                }

                break;
            case PointsModelTests.Act.Expire:
                now = now.AddDays(step.Days);
                Try(account.Expire(now), reference.Points.RemoveAll(point => point.Ends <= now) > 0);
                Review(at);
                break;
            case PointsModelTests.Act.SpendTogether:
                SpendTogether(at, step.Points * 3);
                break;
            case PointsModelTests.Act.Transfer:
                Transfer(account, accounts[next], reference, references[next], step.Points);
                break;
            case PointsModelTests.Act.Adjust when step.Pick % 2 == 0:
                var given = Origin(step, null);
                Book(account.Adjust(step.Points, given, now)!);
                reference.Add(step.Points, null, given.ExpiresAt, ++clock);
                break;
            case PointsModelTests.Act.Adjust:
                var enough = step.Points <= reference.Points.Count;
                Try(account.Adjust(-step.Points, Origin(step, null), now), enough);
                reference.Remove(enough ? step.Points : 0);
                break;
            case PointsModelTests.Act.Merge:
                Merge(account, accounts[next], reference, references[next], (at, next));
                break;
            case PointsModelTests.Act.Hold:
                Hold(at, step);
                break;
            case PointsModelTests.Act.Settle:
                Settle(step);
                break;
            case PointsModelTests.Act.Refund:
                Refund(step);
                break;
            case PointsModelTests.Act.Forfeit:
                Try(account.Forfeit(), reference.Points.Count + reference.Waiting.Count > 0);
                reference.Points.Clear();
                // What waited will not come.
                for (var i = 0; i < earnings.Count; i++)
                {
                    var waits = earnings[i].Member == at && reference.Waiting.ContainsKey(earnings[i].Earning);
                    earnings[i] = waits ? earnings[i] with { Left = 0 } : earnings[i];
                }

                reference.Waiting.Clear();
                break;
        }
    }

    public void Compare(PointsModelTests.Planned step)
    {
        for (var i = 0; i < members.Length; i++)
        {
            var (account, reference) = (accounts[i], references[i]);
            Assert.True(reference.Points.Count == account.Points, $"{step}: {account.Points} points");
            Assert.Equal(reference.Waiting.Values.Sum(), account.Pending);
            Assert.Equal(reference.Owed, account.Owed);
            Assert.Equal((reference.Tier, reference.TierUntil), (standings[i].Tier, standings[i].Until));
            Assert.Equal(
                reference.Points.GroupBy(p => p.Ends).ToDictionary(g => $"{g.Key}", g => (long)g.Count()),
                account
                    .Lots.Where(lot => lot.Remaining > 0)
                    .GroupBy(lot => lot.ExpiresAt)
                    .ToDictionary(g => $"{g.Key}", g => g.Sum(lot => lot.Remaining))
            );
            Assert.Equal(
                negative == NegativePolicy.Allow ? account.Points - account.Owed : account.Points,
                Balance(PointsAccounts.Of(members[i]))
            );
            Assert.Equal(account.Pending, Balance(PointsAccounts.PendingOf(members[i])));
            Assert.Equal(account.Held, Balance(PointsAccounts.HeldOf(members[i])));
            Assert.Equal(
                redemptions.Where(r => r.Member == i && r.Captured is null).Sum(r => r.Held.Points),
                account.Held
            );
            // Less than a point's worth of each redemption waits for the rest of its point.
            Assert.Equal(
                redemptions
                    .Where(r => r.Member == i)
                    .Sum(r => r.Captured is null ? r.Held.Pays : r.Returned - r.Held.Back(0, r.Back).Pays),
                Balance(PointsAccounts.PayingOf(members[i]), isMoney: true)
            );
            Assert.All(account.Lots, lot => Assert.InRange(lot.Funded, 0, lot.Value));
            Assert.All(account.Lots, lot => Assert.True(lot.Remaining > 0 || lot.Value == 0));
        }

        Assert.Equal(
            accounts.Sum(account => account.Lots.Sum(lot => lot.Value)),
            Balance(PointsAccounts.Liability, isMoney: true)
        );
        Assert.Equal(0, books.Where(book => !book.Key.IsMoney).Sum(book => book.Value));
        Assert.Equal(0, books.Where(book => book.Key.IsMoney).Sum(book => book.Value));
    }

    /// <summary>A tier may be reached at once with what was earned.</summary>
    private void Qualify(int at, EarningId earning, int points, DateTimeOffset when)
    {
        standings[at] = standings[at].Earned(Tiers, Qualifying(at), now);
        references[at].Earned.AddRange(Enumerable.Repeat((earning, when), points));
        var (tier, from) = ReferenceTier(at);
        if (from > Tiers.RankOf(references[at].Tier))
        {
            (references[at].Tier, references[at].TierUntil) = (tier, now.AddDays(9));
        }
    }

    private void Review(int at)
    {
        Assert.Equal(references[at].TierUntil <= now, standings[at].IsOver(now));
        if (!standings[at].IsOver(now))
        {
            return;
        }

        standings[at] = TierStanding.Of(Tiers, Qualifying(at), now);
        var (tier, _) = ReferenceTier(at);
        (references[at].Tier, references[at].TierUntil) = (tier, tier is null ? null : now.AddDays(9));
    }

    /// <summary>As rows of earnings say it: those that do not wait, less what was taken back.</summary>
    private int Qualifying(int at) =>
        earnings
            .Where(e => e.Member == at && !references[at].Waiting.ContainsKey(e.Earning) && e.At > now.AddDays(-6))
            .Sum(earning => earning.Left);

    /// <summary>By counting single points.</summary>
    private (string? Tier, int From) ReferenceTier(int at) =>
        references[at].Earned.Count(point => point.At > now.AddDays(-6)) switch
        {
            >= 25 => ("gold", 25),
            >= 10 => ("silver", 10),
            _ => (null, 0),
        };

    /// <summary>What one lacks the others give, those whose points end first, first.</summary>
    private void SpendTogether(int at, int points)
    {
        var others = Enumerable.Range(0, members.Length).Where(i => i != at && accounts[i].Points > 0).ToArray();
        var draws = PoolDraw.From(others.Select(i => accounts[i]).Order(PoolDraw.Order), accounts[at], points, now);
        foreach (var (_, given, taken) in draws)
        {
            Book(given);
            Book(taken);
        }

        foreach (
            var i in others
                .OrderBy(i => references[i].Points.Min(point => point.Ends ?? DateTimeOffset.MaxValue))
                .ThenBy(i => members[i].Value)
        )
        {
            var lacking = points - references[at].Points.Count;
            var given = Math.Min(lacking, references[i].Points.Count);
            if (given > 0)
            {
                Give(references[i], references[at], given);
            }
        }

        var enough = points <= references[at].Points.Count;
        Try(accounts[at].Redeem(points), enough);
        references[at].Remove(enough ? points : 0);
    }

    private void Hold(int at, PointsModelTests.Planned step)
    {
        var (account, reference) = (accounts[at], references[at]);
        var pays = (step.Points * (step.Pick % 9 + 1) / 3) + 1;
        var before = reference.Points.Count;
        if (account.Hold(step.Points, pays) is not var (movement, held))
        {
            Assert.True(step.Points > before);
            return;
        }

        Book(movement);
        redemptions.Add(
            new()
            {
                Member = at,
                Held = held,
                Taken = reference.Remove(step.Points),
            }
        );
    }

    private void Settle(PointsModelTests.Planned step)
    {
        if (redemptions.Find(r => r.Captured is null) is not { } redemption)
        {
            return;
        }

        var captured = redemption.Held.Pays * (step.Pick % 5) / 4;
        redemption.Captured = captured;
        Move(redemption, PointsAccounts.PayingOf(members[redemption.Member]), "till", captured);
        var account = accounts[redemption.Member];
        var back = Return(redemption, redemption.Held.Pays - captured);
        if (back.Points > 0)
        {
            Book(account.Unhold(back));
        }

        if (back.Points < redemption.Held.Points)
        {
            Book(account.Spend(redemption.Held.Points - back.Points, redemption.Held.OwedAs - back.OwedAs));
        }
    }

    private void Refund(PointsModelTests.Planned step)
    {
        var open = redemptions.FindAll(r => r.Captured is not null && r.Returned < r.Held.Pays);
        if (open.Count == 0)
        {
            return;
        }

        var redemption = open[step.Pick % open.Count];
        var amount = Math.Min(step.Points, redemption.Held.Pays - redemption.Returned);
        Move(redemption, "till", PointsAccounts.PayingOf(members[redemption.Member]), amount);
        var back = Return(redemption, amount);
        if (back.Points > 0)
        {
            Book(accounts[redemption.Member].Refund(back));
        }
    }

    private PointsBack Return(ReferenceRedemption redemption, long amount)
    {
        redemption.Returned += amount;
        var (before, after) = (redemption.Back, (int)redemption.Held.PointsFor(redemption.Returned));
        redemption.Back = after;
        // Those that were taken last, first.
        List<SinglePoint> singles = [.. Enumerable.Reverse(redemption.Taken).Skip(before).Take(after - before)];
        references[redemption.Member].Return(singles);
        var back = redemption.Held.Back(before, after);
        Assert.Equal(redemption.Returned == redemption.Held.Pays, after == redemption.Held.Points);
        return back;
    }

    private void Move(ReferenceRedemption redemption, string from, string to, long amount)
    {
        Assert.InRange(amount, 0, redemption.Held.Pays);
        books[(from, true)] = Balance(from, isMoney: true) - amount;
        books[(to, true)] = Balance(to, isMoney: true) + amount;
    }

    private void TakeBack(int at, PointsModelTests.Planned step)
    {
        var own = earnings.FindAll(earning => earning.Member == at && earning.Left > 0);
        if (own.Count == 0)
        {
            return;
        }

        var picked = own[step.Pick % own.Count];
        var (account, reference) = (accounts[at], references[at]);
        var waits = reference.Waiting.GetValueOrDefault(picked.Earning);
        var points = Math.Min(step.Points, waits > 0 ? waits : picked.Left);
        if (waits > 0)
        {
            Book(account.TakeBackPending(points));
            reference.Waiting[picked.Earning] = waits - points;
            if (waits == points)
            {
                reference.Waiting.Remove(picked.Earning);
            }
        }
        else
        {
            Book(account.TakeBack(points, picked.Earning));
            var taken = reference.Remove(points, point => point.Earning == picked.Earning ? 0 : 1).Count;
            reference.Unearn(picked.Earning, points);
            reference.Owed += points - taken;
        }

        earnings.Remove(picked);
        earnings.Add(picked with { Left = picked.Left - points });
    }

    private void Transfer(
        PointsAccount from,
        PointsAccount to,
        ReferenceMember source,
        ReferenceMember target,
        int points
    )
    {
        var moved = from.Transfer(points, to, now);
        Assert.Equal(points <= source.Points.Count, moved is not null);
        if (moved is not var (sent, received))
        {
            return;
        }

        Book(sent);
        Book(received);
        Give(source, target, points);
    }

    private void Give(ReferenceMember source, ReferenceMember target, int points)
    {
        foreach (var lot in source.Remove(points).GroupBy(point => (point.Ends, point.Order)))
        {
            // Each lot becomes one of the other's, in their order.
            var order = ++clock;
            target.Points.AddRange(lot.Select(_ => new SinglePoint(null, lot.Key.Ends, order)));
        }

        var settled = Math.Min(target.Owed, points);
        target.Owed -= settled;
        target.Points.RemoveRange(target.Points.Count - points, settled);
    }

    private void Merge(
        PointsAccount from,
        PointsAccount to,
        ReferenceMember source,
        ReferenceMember target,
        (int From, int To) members
    )
    {
        if (source.Points.Count > 0)
        {
            Transfer(from, to, source, target, source.Points.Count);
        }

        foreach (var moved in new[] { from.TransferPending(to), from.TransferOwed(to) })
        {
            if (moved is var (sent, received))
            {
                Book(sent);
                Book(received);
            }
        }

        foreach (var (earning, left) in source.Waiting)
        {
            target.Waiting[earning] = left;
        }

        source.Waiting.Clear();
        target.Earned.AddRange(source.Earned);
        source.Earned.Clear();
        target.Owed += source.Owed - target.Remove(source.Owed).Count;
        source.Owed = 0;
        for (var i = 0; i < earnings.Count; i++)
        {
            earnings[i] = earnings[i].Member == members.From ? earnings[i] with { Member = members.To } : earnings[i];
        }
    }

    private void Try(Movement? movement, bool expected)
    {
        Assert.Equal(expected, movement is not null);
        if (movement is not null)
        {
            Book(movement);
        }
    }

    private void Book(Movement movement)
    {
        foreach (var booking in movement.Bookings)
        {
            Assert.True(booking.Amount > 0, $"{movement.Kind}: {booking}");
            books[(booking.From, booking.IsMoney)] = Balance(booking.From, booking.IsMoney) - booking.Amount;
            books[(booking.To, booking.IsMoney)] = Balance(booking.To, booking.IsMoney) + booking.Amount;
        }

        Assert.Equal(movement.Points, movement.Lots.Sum(change => change.Points));
    }

    private long Balance(string name, bool isMoney = false) => books.GetValueOrDefault((name, isMoney));

    private EarningId Earning(int at, PointsModelTests.Planned step)
    {
        var earning = new EarningId(Guid.CreateVersion7());
        earnings.Add((at, earning, step.Points, now));
        return earning;
    }

    private PointsOrigin Origin(PointsModelTests.Planned step, EarningId? earning)
    {
        var isPartner = earning is not null && step.Pick % 3 == 0;
        return new(
            MovementKind.Earn,
            step.Points * 7 / 2,
            step.Days == 0 ? null : new DateTimeOffset(now.Date.AddDays(step.Days), TimeSpan.Zero),
            earning,
            isPartner ? partner : null,
            isPartner ? step.Points : 0
        );
    }

    private static MemberId NewMember() => new(Guid.CreateVersion7());

    private LotId NewLot() => new(new Guid(++made, 0, 0, new byte[8]));
}
