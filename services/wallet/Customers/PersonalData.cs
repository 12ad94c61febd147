namespace LocalPlus.Wallet.Customers;

/// <summary>What is known about a person. Exists in clear only between the database and an authorised answer.</summary>
internal sealed class PersonalData
{
    public required string Email { get; init; }

    public string? Name { get; init; }

    public string? Phone { get; init; }
}
