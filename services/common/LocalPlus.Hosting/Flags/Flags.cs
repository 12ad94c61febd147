using System.Collections.Concurrent;
using LocalPlus.Kernel;

namespace LocalPlus.Hosting;

/// <summary>
/// What flags say now. Nobody waits for it: <see cref="FlagWatch"/> keeps it, and what it can
/// not learn stays as it was.
/// </summary>
public sealed class Flags(TimeProvider time)
{
    private readonly ConcurrentDictionary<string, State> states = new(StringComparer.Ordinal);
    private readonly DateTimeOffset begunAt = time.GetUtcNow();

    /// <param name="IsSet">False: the default, as nothing else is said.</param>
    /// <param name="Since">When this replica learned it.</param>
    internal sealed record State(string Value, int On, bool IsSet, DateTimeOffset Since);

    /// <summary>Whether a switch is on.</summary>
    public bool IsOn(Flag flag) => Of(flag).On > 0;

    /// <summary>Whether it is on for the merchant.</summary>
    public bool IsOn(Flag flag, MerchantId merchant) => flag.PlaceOf(merchant) < Of(flag).On;

    /// <summary>Refuses with feature_off while a switch is off.</summary>
    public void Require(Flag flag)
    {
        if (!IsOn(flag))
        {
            throw new FaultException(CommonFaults.FeatureOff, $"{flag.Name} is switched off for now.");
        }
    }

    internal State Of(Flag flag) =>
        states.TryGetValue(flag.Name, out var known)
            ? known
            : new(flag.Default, flag.Read(flag.Default)!.Value, false, begunAt);

    /// <summary>
    /// What is said of a flag; null: nothing. False: it can not be read, and what held before still does.
    /// </summary>
    internal bool Learn(Flag flag, string? text)
    {
        var value = string.IsNullOrEmpty(text) ? flag.Default : text;
        if (flag.Read(value) is not { } on)
        {
            return false;
        }

        var told = new State(value, on, !string.IsNullOrEmpty(text), time.GetUtcNow());
        states.AddOrUpdate(
            flag.Name,
            told,
            (_, known) => known.Value == told.Value && known.IsSet == told.IsSet ? known : told
        );
        return true;
    }
}
