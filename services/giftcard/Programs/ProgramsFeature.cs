namespace LocalPlus.Giftcard.Programs;

/// <summary>The terms under which cards are issued.</summary>
internal static class ProgramsFeature
{
    public static RouteGroupBuilder MapPrograms(this RouteGroupBuilder merchants)
    {
        merchants.MapCreateProgram();
        merchants.MapChangeProgram();
        merchants.MapGetProgram();
        merchants.MapSetBreakageRate();
        merchants.MapListPrograms();
        merchants.MapListAcceptances();
        merchants.MapGetAcceptance();
        merchants.MapDecideAcceptance();
        return merchants;
    }
}
