using System.Diagnostics;
using LocalPlus.Hosting;

namespace LocalPlus.Wallet.Customers;

/// <summary>What is known about a person. Exists in clear only between the database and an authorised answer.</summary>
internal sealed class PersonalData
{
    public required string Email { get; init; }

    public string? Name { get; init; }

    public string? Phone { get; init; }

    /// <summary>
    /// Of a body that was checked: the address as mail systems write it, whichever spelling of its domain came.
    /// </summary>
    public static PersonalData Of(string email, string? name, string? phone = null) =>
        new()
        {
            Email = EmailAddress.TryParse(email, out var address)
                ? address
                : throw new UnreachableException("The body was checked."),
            Name = name?.Trim(),
            Phone = phone,
        };
}
