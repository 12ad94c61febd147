using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Programs;

/// <summary>What a programme allows. Pure.</summary>
internal static class ProgramTerms
{
    public static void CheckSale(ProgramRow program, Money? amount)
    {
        if (program.About.Status != "active")
        {
            throw new FaultException(Faults.ProgramState, "The programme is closed.");
        }

        if (amount is not { } value)
        {
            return;
        }

        if (value.Currency.Code != program.About.Currency)
        {
            throw new FaultException(Faults.CurrencyMismatch, $"The programme's cards are in {program.About.Currency}.");
        }

        if (value.MinorUnits < program.Terms.MinLoad || value.MinorUnits > program.Terms.MaxLoad)
        {
            throw new FaultException(
                Faults.LimitExceeded,
                $"The programme allows {program.Terms.MinLoad} to {program.Terms.MaxLoad} {program.About.Currency} at once."
            );
        }
    }

    /// <param name="before">What is on the card, held value included.</param>
    /// <param name="isRefund">Value of another tender that comes back: no reload, and as much as it was.</param>
    public static void CheckLoad(ProgramRow program, Money amount, long before, bool isRefund = false)
    {
        if (!program.Terms.Reloadable && !isRefund)
        {
            throw new FaultException(Faults.ProgramState, "The programme's cards are not reloadable.");
        }

        if (!isRefund)
        {
            CheckSale(program, amount);
        }
        else if (amount.Currency.Code != program.About.Currency)
        {
            throw new FaultException(Faults.CurrencyMismatch, $"The programme's cards are in {program.About.Currency}.");
        }

        if (before + amount.MinorUnits > program.Terms.MaxBalance)
        {
            throw new FaultException(
                Faults.LimitExceeded,
                $"The programme allows {program.Terms.MaxBalance} {program.About.Currency} on a card; {before} are on it."
            );
        }
    }
}
