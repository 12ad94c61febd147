using LocalPlus.Kernel;
using LocalPlus.Notification.Readers;

namespace LocalPlus.Notification.Mails;

/// <summary>What became of an attempt to send a message.</summary>
internal abstract record SendOutcome
{
    private SendOutcome() { }

    public sealed record Sent(string MaskedAddress, byte[]? AddressHash) : SendOutcome;

    /// <summary>Nobody is to get it.</summary>
    public sealed record Skipped(string Code) : SendOutcome;

    /// <summary>Not now.</summary>
    public sealed record Deferred(string Code, DateTimeOffset Until) : SendOutcome;

    /// <summary>The address takes nothing; a holder's is not written to any more.</summary>
    public sealed record Bounced(int SmtpStatus, Outgoing? Message, CustomerId? Customer, string Address) : SendOutcome;

    /// <summary>It is tried again.</summary>
    /// <param name="Counted">What was counted as sent, when; null for nothing.</param>
    public sealed record Failed(string Code, string Cause = "", (Outgoing Message, DateTimeOffset At)? Counted = null)
        : SendOutcome;
}
