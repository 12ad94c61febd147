using System.Text.RegularExpressions;
using LocalPlus.Kernel;
using LocalPlus.Notification.Readers;

namespace LocalPlus.Notification.Bounces;

/// <summary>
/// What a mail has in its Message-ID and its return path, and a report about it gives back: the message's id and a
/// keyed proof of 128 bits. Only who was given a mail knows its token, so that nobody can report a mail of somebody
/// else's.
/// </summary>
internal sealed partial class SentTokens(AddressHashes hashes)
{
    /// <summary>Characters of a token: letters and digits, in which capitals mean the same.</summary>
    public const int Length = 2 * Base32.GuidLength;

    /// <summary>So many candidates of one report are looked at.</summary>
    private const int Candidates = 20;

    public string Of(NotificationId id) => Base32.Format(id.Value) + Base32.Format(ProofOf(id));

    /// <summary>The first message that one of the texts proves to speak of, or null.</summary>
    public NotificationId? Find(IEnumerable<string> texts)
    {
        var candidates = texts.SelectMany(text => Token().Matches(text)).Select(match => match.Value).Distinct();
        foreach (var token in candidates.Take(Candidates))
        {
            if (
                Base32.TryParse(token.AsSpan(0, Base32.GuidLength), out var id)
                && Base32.TryParse(token.AsSpan(Base32.GuidLength), out var proof)
                && hashes.IsProof(id.ToByteArray(bigEndian: true), proof.ToByteArray())
            )
            {
                return new NotificationId(id);
            }
        }

        return null;
    }

    private Guid ProofOf(NotificationId id) => new(hashes.ProveSent(id.Value.ToByteArray(bigEndian: true)));

    [GeneratedRegex("(?<![0-9A-Za-z])[0-9A-Za-z]{52}(?![0-9A-Za-z])")]
    private static partial Regex Token();
}
