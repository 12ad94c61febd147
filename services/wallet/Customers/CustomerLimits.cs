namespace LocalPlus.Wallet.Customers;

/// <summary>Bounds on what is kept of a person.</summary>
internal static class CustomerLimits
{
    /// <summary>Characters of a telephone, as it is typed.</summary>
    public const int PhoneLength = 32;

    /// <summary>Consents of one person, in force and withdrawn: years of them.</summary>
    public const int Consents = 200;

    /// <summary>Characters of a purpose and of a text's version.</summary>
    public const int PurposeLength = 100;

    /// <summary>Characters of what proves a consent: where it was given, and how it can be seen.</summary>
    public const int ProofLength = 2000;

    /// <summary>How far another clock may be ahead of ours.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);
}
