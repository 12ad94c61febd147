using System.Collections.Concurrent;
using LocalPlus.Kernel;

namespace LocalPlus.Hosting;

/// <summary>
/// Whose an API key was when it was last verified: what the door needs to know, and nothing that lets anybody in.
/// </summary>
internal sealed class KnownCallers
{
    private readonly ConcurrentDictionary<string, MerchantId> merchants = new(StringComparer.Ordinal);

    /// <summary>The merchant; nobody's for a key that was never verified here.</summary>
    public MerchantId Find(ReadOnlySpan<char> key) =>
        merchants.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(key, out var merchant) ? merchant : default;

    public void Remember(string key, MerchantId merchant)
    {
        if (merchants.TryGetValue(key, out var known) && known == merchant)
        {
            return;
        }

        if (merchants.Count >= AdmissionLimits.Callers)
        {
            merchants.Clear();
        }

        merchants[key] = merchant;
    }
}
