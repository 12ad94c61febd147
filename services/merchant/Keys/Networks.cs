using System.Net;
using LocalPlus.Hosting;

namespace LocalPlus.Merchant.Keys;

/// <summary>The networks that a key may be used from, as CIDR; none: it may be from anywhere.</summary>
internal static class Networks
{
    public const int MaxPerKey = 20;

    public static IReadOnlyList<IPNetwork> Parse(IEnumerable<string> networks) =>
        [.. networks.Select(network => IPNetwork.Parse(network))];

    /// <summary>Whether whoever is let in by the inner ones is by the outer ones too.</summary>
    public static bool AreWithin(IReadOnlyList<IPNetwork> inner, IReadOnlyList<IPNetwork> outer) =>
        outer.Count == 0
        || (
            inner.Count > 0
            && inner.All(part =>
                outer.Any(whole => whole.PrefixLength <= part.PrefixLength && whole.Contains(part.BaseAddress))
            )
        );

    public static FieldChecks AllowedNetworks(this FieldChecks checks, IReadOnlyList<string>? networks)
    {
        checks.Require(networks is null or { Count: <= MaxPerKey }, "/allowed_networks", "too_long");
        foreach (var (n, network) in (networks ?? []).Take(MaxPerKey).Index())
        {
            checks.Require(IPNetwork.TryParse(network, out _), $"/allowed_networks/{n}", "invalid");
        }

        return checks;
    }
}
