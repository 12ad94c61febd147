namespace LocalPlus.Wallet.Points;

/// <summary>Points that pay in redemptions: held, spent, and given back to the lots that they came from.</summary>
internal sealed partial class PointsAccount
{
    /// <summary>
    /// Reserves points for a redemption, in which they pay so much money; null: there are not so many. What they pay
    /// beyond what they are owed as is an expense, and what they are owed as beyond what they pay is one less.
    /// </summary>
    public (Movement Movement, HeldPoints Held)? Hold(long points, long pays)
    {
        if (points > Points)
        {
            return null;
        }

        var (taken, from) = Take(points);
        Held += points;
        var held = new HeldPoints(
            points,
            pays,
            [
                .. taken.Lots.Zip(
                    from,
                    (change, money) => new HeldLot(change.Lot.LotId, -change.Points, money.Value, money.Funded)
                ),
            ]
        );
        var owedAs = from.Sum(money => money.Value);
        List<Booking> bookings = [new(Account, PointsAccounts.HeldOf(Member), points)];
        Add(bookings, PointsAccounts.Liability, PointsAccounts.PayingOf(Member), Math.Min(owedAs, pays));
        Add(bookings, PointsAccounts.Expense, PointsAccounts.PayingOf(Member), pays - owedAs);
        Add(bookings, PointsAccounts.Liability, PointsAccounts.Expense, owedAs - pays);
        return (new(MovementKind.Hold, -points, 0, 0, 0, taken.Lots, bookings) { Held = points }, held);
    }

    /// <summary>Of what was held, so many points are spent; with them goes what they were owed as.</summary>
    public Movement Spend(long points, long owedAs)
    {
        Held -= points;
        return new(
            MovementKind.Redeem,
            0,
            0,
            0,
            -owedAs,
            [],
            [new(PointsAccounts.HeldOf(Member), PointsAccounts.Pool, points)]
        )
        {
            Held = -points,
        };
    }

    /// <summary>
    /// What was held and was not needed, to the lots that it came from. They must be known (<see cref="Know"/>).
    /// </summary>
    public Movement Unhold(PointsBack back)
    {
        Held -= back.Points;
        var movement = GiveBack(MovementKind.HoldReleased, PointsAccounts.HeldOf(Member), back);
        // What is held is owed already: only what settled a debt changes that.
        return movement with { Held = -back.Points, Value = movement.Value - back.OwedAs };
    }

    /// <summary>What was spent comes back, to the lots that it came from.</summary>
    public Movement Refund(PointsBack back) => GiveBack(MovementKind.Refund, PointsAccounts.Pool, back);

    /// <summary>Lots that something comes back to, though nothing was left of them.</summary>
    public void Know(IEnumerable<Lot> more)
    {
        foreach (var lot in more.Where(lot => lots.TrueForAll(known => known.LotId != lot.LotId)))
        {
            lots.Add(lot);
        }
    }

    private Movement GiveBack(string kind, string from, PointsBack back)
    {
        var restored = new List<LotChange>();
        foreach (var part in back.Lots)
        {
            var lot = lots.Find(known => known.LotId == part.LotId)!;
            lot.Remaining += part.Points;
            lot.Value += part.Value;
            lot.Funded += part.Funded;
            restored.Add(new(lot, part.Points));
        }

        var (settled, settling) = Settle(restored);
        List<Booking> bookings = [new(from, Account, back.Points)];
        Add(bookings, PointsAccounts.PayingOf(Member), PointsAccounts.Liability, Math.Min(back.OwedAs, back.Pays));
        Add(bookings, PointsAccounts.PayingOf(Member), PointsAccounts.Expense, back.Pays - back.OwedAs);
        Add(bookings, PointsAccounts.Expense, PointsAccounts.Liability, back.OwedAs - back.Pays);
        bookings.AddRange(settling.Bookings);
        // Where something was owed the lots were empty: what is left of them came just now.
        var changes = settled == 0 ? [.. restored] : Net(restored);
        return new(kind, back.Points - settled, 0, -settled, back.OwedAs + settling.Value, changes, bookings);
    }
}
